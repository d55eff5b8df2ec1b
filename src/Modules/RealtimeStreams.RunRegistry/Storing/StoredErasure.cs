using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Naming;

namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>A row of <c>erasures</c>: a receipt.</summary>
internal sealed class StoredErasure
{
    public required string Environment { get; init; }

    public required string Id { get; init; }

    /// <summary>The run, which may be a hidden one.</summary>
    public required string Run { get; init; }

    /// <summary>The name of the stream that the hidden run carried.</summary>
    public string? Stream { get; init; }

    public DateTimeOffset RequestedAt { get; init; }

    public required string RequestedBy { get; init; }

    public DateTimeOffset? ErasedAt { get; init; }

    public Erasure ToErasure()
    {
        var run = RunId.Parse(Run);
        return new Erasure(Id, HiddenRuns.MayBe(run) ? null : run, Stream, RequestedAt, RequestedBy, ErasedAt);
    }
}
