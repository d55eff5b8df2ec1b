using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>Where a read begins and when it stops.</summary>
public sealed record ReadOptions
{
    /// <summary>The index of the first chunk to deliver; negative: so many from the end. Default: 0.</summary>
    public long StartIndex { get; init; }

    /// <summary>Stops when no chunk came for so long, 1 second to 1 day, in whole seconds (rounded up). Default: never.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Called when chunks are gone (expired or over a limit) before they were read; the read goes on with the first that is left.
    /// Default: none, and the read throws <see cref="ChunksTrimmedException"/>.</summary>
    public Action<TrimmedEvent>? OnTrimmed { get; init; }

    /// <summary>Called once when somebody has asked the stream's run to stop, before or while it is read. The read goes on until the stream ends.</summary>
    public Action<StopNotice>? OnStopRequested { get; init; }

    /// <summary>Called each time all that was stored when the reader came has been delivered. The argument is the index that comes next.</summary>
    public Action<long>? OnCaughtUp { get; init; }
}
