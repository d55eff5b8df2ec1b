using System.Text.Json.Serialization;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Forwarding;

/// <summary>What a forwarded request came to, as it travels back: a refusal if there is one.</summary>
internal sealed record ForwardedOutcome(ForwardedRefusal? Refused, ForwardedStored? Stored, bool WasClosed)
{
    public static ForwardedOutcome Of(AppendOutcome outcome, bool wasClosed) => outcome switch
    {
        AppendOutcome.Stored stored => new ForwardedOutcome(
            null,
            new ForwardedStored(
                stored.First?.Value, stored.Next.Value, stored.Added, stored.Duplicates, stored.NextSequence, stored.FirstTimestamp, stored.LastTimestamp),
            wasClosed),
        AppendOutcome.Refused refused => new ForwardedOutcome(
            new ForwardedRefusal(
                refused.Refusal.Code, refused.Refusal.Detail, refused.ExpectedSequence, refused.ExpectedIndex, refused.ExpectedFencingToken),
            null,
            wasClosed),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    public AppendOutcome ToOutcome() => Refused is { } refused
        ? new AppendOutcome.Refused(new Refusal(refused.Code, refused.Detail), refused.ExpectedSequence, refused.ExpectedIndex, refused.ExpectedFencingToken)
        : Stored is { } stored
            ? new AppendOutcome.Stored(
                stored.First is { } first ? new ChunkIndex(first) : null,
                new ChunkIndex(stored.Next), stored.Added, stored.Duplicates, stored.NextSequence, stored.FirstTimestamp, stored.LastTimestamp)
            : throw new InvalidOperationException("No node sends an outcome that is neither stored nor refused.");
}

internal sealed record ForwardedStored(
    long? First, long Next, int Added, int Duplicates, long? NextSequence, long FirstTimestamp, long LastTimestamp);

internal sealed record ForwardedRefusal(
    ErrorCode Code, string Detail, long? ExpectedSequence, long? ExpectedIndex, string? ExpectedFencingToken);

[JsonSerializable(typeof(ForwardedOutcome[]))]
internal sealed partial class ForwardedJson : JsonSerializerContext;
