using System.Text.Json.Serialization;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Forwarding;

/// <summary>What a forwarded request came to, as it travels back: a refusal if there is a code.</summary>
internal sealed record ForwardedOutcome(
    ErrorCode? Code, string? Detail, long? ExpectedSequence, long? First, long Next, int Added, int Duplicates, long? NextSequence, bool WasClosed)
{
    public static ForwardedOutcome Of(AppendOutcome outcome, bool wasClosed) => outcome switch
    {
        AppendOutcome.Stored stored => new ForwardedOutcome(
            null, null, null, stored.First?.Value, stored.Next.Value, stored.Added, stored.Duplicates, stored.NextSequence, wasClosed),
        AppendOutcome.Refused refused => new ForwardedOutcome(
            refused.Refusal.Code, refused.Refusal.Detail, refused.ExpectedSequence, null, 0, 0, 0, null, wasClosed),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    public AppendOutcome ToOutcome() => Code is not null
        ? new AppendOutcome.Refused(new Refusal(Code, Detail ?? ""), ExpectedSequence)
        : new AppendOutcome.Stored(First is { } first ? new ChunkIndex(first) : null, new ChunkIndex(Next), Added, Duplicates, NextSequence);
}

[JsonSerializable(typeof(ForwardedOutcome[]))]
internal sealed partial class ForwardedJson : JsonSerializerContext;
