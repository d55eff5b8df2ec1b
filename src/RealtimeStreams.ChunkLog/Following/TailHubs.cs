using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using NATS.Client.Core;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.ChunkLog.Reading;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Following;

/// <summary>The tail hubs of a process: one for each stream with readers here. Ends overdue waits and asks the leader about silent streams.</summary>
internal sealed partial class TailHubs : IDisposable
{
    /// <summary>How exact the end of a wait is. Heartbeats and idle time-outs are in seconds.</summary>
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);
    private const int ChecksAtOnce = 32;

    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<StreamAddress, TailHub> byStream = new();
    private readonly ChunkLogOptions options;
    private readonly TimeProvider clock;
    private readonly BrokerLink link;
    private readonly ILogger<TailHubs> logger;
    private readonly ITimer beat;
    private long ringBytes;
    private int checking;

    public TailHubs(BrokerLink link, RecordGets gets, ChunkLogOptions options, TimeProvider clock, ILogger<TailHubs> logger, CancellationToken stopping)
    {
        this.link = link;
        this.options = options;
        this.clock = clock;
        this.logger = logger;
        Stopping = stopping;
        Gets = gets;
        link.Changed += OnLinkChanged;
        beat = clock.CreateTimer(_ => OnBeat(), null, Beat, Beat);
    }

    public NatsConnection Connection => link.Connection;

    public RecordGets Gets { get; }

    public CancellationToken Stopping { get; }

    public int Count => byStream.Count;

    public long RingBytes => Interlocked.Read(ref ringBytes);

    /// <summary>Whether the rings together are at their bound; then each keeps its newest record only.</summary>
    public bool IsTight => RingBytes > options.MaxRingBytes;

    public void CountRing(int bytes) => Interlocked.Add(ref ringBytes, bytes);

    public long DeadlineIn(TimeSpan time) => clock.GetTimestamp() + (long)(time.TotalSeconds * clock.TimestampFrequency);

    /// <summary>Opens a reader's tail, on the stream's hub if there is one.</summary>
    public async ValueTask<IStreamTail> OpenAsync(StreamAddress stream, CancellationToken cancellationToken)
    {
        TailHub hub;
        var first = false;
        lock (gate)
        {
            // A hub that saw its stream erased serves nobody new.
            if (!byStream.TryGetValue(stream, out hub!) || hub.Erased || hub.Ready.IsFaulted)
            {
                byStream[stream] = hub = new TailHub(this, stream);
                first = true;
            }
            hub.Readers++;
        }
        // Not cancelled with the first reader: the others wait for the same start.
        if (first) hub.Start();
        try
        {
            await hub.Ready.WaitAsync(options.ConfirmTimeout, clock, cancellationToken);
            // What was appended before this call may still be on its way to a hub that others opened, or may have been lost.
            if (!first) await hub.RefreshAsync().WaitAsync(options.ConfirmTimeout, clock, cancellationToken);
            return new StreamTail(this, hub);
        }
        catch (Exception exception)
        {
            await LeaveAsync(hub);
            if (exception is TimeoutException) throw new LogUnavailableException("The broker did not answer in time.", exception);
            throw;
        }
    }

    public async ValueTask LeaveAsync(TailHub hub)
    {
        lock (gate)
        {
            if (--hub.Readers > 0) return;
            byStream.TryRemove(new KeyValuePair<StreamAddress, TailHub>(hub.Stream, hub));
        }
        await hub.StopAsync();
    }

    /// <summary>Drops what is held of a run's streams: they were erased, and whoever follows one learns it.</summary>
    /// <param name="filter">The subject filter of the run, which ends in <c>.&gt;</c>.</param>
    public void Erase(string filter)
    {
        foreach (var hub in byStream.Values)
            if (hub.Place.IsIn(filter)) hub.Erase();
    }

    public void Dispose()
    {
        beat.Dispose();
        link.Changed -= OnLinkChanged;
    }

    private void OnLinkChanged(bool open)
    {
        if (!open) return;
        foreach (var hub in byStream.Values) hub.CheckSoon();
    }

    private void OnBeat()
    {
        var now = clock.GetTimestamp();
        List<TailHub>? due = null;
        foreach (var hub in byStream.Values)
        {
            hub.EndOverdue(now);
            if (hub.NextCheck <= now && hub.Ready.IsCompletedSuccessfully) (due ??= []).Add(hub);
        }
        if (due is null || !link.IsOpen) return;
        // A round checks all that are due before the next begins: however many streams are followed, none is left out for ever.
        if (Interlocked.Exchange(ref checking, 1) == 0) _ = CheckAsync(due); // Not awaited: beats go on. It lets no exception out.
    }

    private async Task CheckAsync(List<TailHub> due)
    {
        try
        {
            await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = ChecksAtOnce, CancellationToken = Stopping }, CheckAsync);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
        finally
        {
            Volatile.Write(ref checking, 0);
        }
    }

    private async ValueTask CheckAsync(TailHub hub, CancellationToken cancellationToken)
    {
        try
        {
            await hub.CheckAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is LogUnavailableException or OperationCanceledException)
        {
            // The broker is away: the reconnect, or the next beat, asks again.
        }
        catch (Exception exception)
        {
            LogCheckFailed(exception, hub.Stream);
        }
    }

    [LoggerMessage(EventId = 1020, Level = LogLevel.Error, Message = "Message {Sequence} of {Stream} is not a record: {Fault}")]
    public partial void LogBroken(StreamAddress stream, ulong sequence, string fault);

    [LoggerMessage(EventId = 1021, Level = LogLevel.Error, Message = "Asking the broker about {Stream} failed")]
    private partial void LogCheckFailed(Exception exception, StreamAddress stream);

    private sealed class StreamTail(TailHubs hubs, TailHub hub) : IStreamTail
    {
        private readonly TailWaiter waiter = new();
        private bool disposed;

        public ChunkIndex NextIndex => hub.NextIndex;

        public ChunkIndex FirstIndex => hub.FirstIndex;

        public long LastTimestamp => hub.LastTimestamp;

        public Outcome? End => hub.End;

        public bool Erased => hub.Erased;

        public LogRecord? Find(ChunkIndex cursor) => hub.Find(cursor);

        public ValueTask<bool> WaitAsync(ChunkIndex cursor, TimeSpan wait, CancellationToken cancellationToken)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            cancellationToken.ThrowIfCancellationRequested();
            return hub.WaitAsync(waiter, cursor, hubs.DeadlineIn(wait), cancellationToken);
        }

        public ValueTask DisposeAsync()
        {
            if (disposed) return ValueTask.CompletedTask;
            disposed = true;
            hub.Remove(waiter);
            return hubs.LeaveAsync(hub);
        }
    }
}
