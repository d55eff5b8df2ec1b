using System.Diagnostics;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Appending;

/// <summary>A batch, or an end, on its way into the log. Owns its batch until it is settled for good.</summary>
internal sealed class AppendRequest(ChunkBatch? batch, Outcome? end, StreamLimits limits, DateTimeOffset admittedAt, long enqueuedAt)
{
    // The continuation goes elsewhere: the appender has the next record to pack.
    private readonly TaskCompletionSource<AppendOutcome> settled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ChunkBatch? Batch { get; } = batch;

    /// <summary>Ends the stream with this outcome; null: only appends.</summary>
    public Outcome? End { get; } = end;

    /// <summary>Gives up what is before this index, which has expired; null: only appends. Such a request has neither a batch nor an end; who makes it removes the records.</summary>
    public ChunkIndex? TrimPoint { get; init; }

    public StreamLimits Limits { get; } = limits;

    public DateTimeOffset AdmittedAt { get; } = admittedAt;

    /// <summary>When it came, in ticks of <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long EnqueuedAt { get; } = enqueuedAt;

    /// <summary>The caller's span, for the publish of the record that it leads.</summary>
    public Activity? Span { get; } = Activity.Current;

    public int Bytes { get; } = batch?.Length ?? 0;

    public int Chunks { get; } = batch?.Count ?? 0;

    /// <summary>Whether another node sent it here, because this one writes the stream.</summary>
    public bool HandedOver { get; init; }

    /// <summary>Whether it is done here, whoever writes the stream: what was handed over could go round in circles, and one record now and then is no contention.</summary>
    public bool StaysHere => HandedOver || TrimPoint is not null;

    /// <summary>Whether it was about to be refused for what the head does not know, which another node may have stored since. The second time it is refused.</summary>
    public bool Doubted { get; set; }

    /// <summary>For an end: whether the stream had ended before.</summary>
    public bool WasClosed { get; set; }

    public Task<AppendOutcome> Task => settled.Task;

    public bool IsSettled => settled.Task.IsCompleted;

    /// <summary>Told once when the request is settled; null: nobody counts it.</summary>
    public Action<AppendRequest>? Settled { get; set; }

    /// <summary>Answers the caller. Only the first answer counts: a caller whose time ran out has been told so.</summary>
    public void Settle(AppendOutcome outcome)
    {
        if (settled.TrySetResult(outcome)) Settled?.Invoke(this);
    }
}
