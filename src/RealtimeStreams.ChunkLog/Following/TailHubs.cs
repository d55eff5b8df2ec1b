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
    private readonly SemaphoreSlim checks = new(ChecksAtOnce);
    private readonly ChunkLogOptions options;
    private readonly TimeProvider clock;
    private readonly BrokerLink link;
    private readonly ILogger<TailHubs> logger;
    private readonly CancellationToken stopping;
    private readonly ITimer beat;
    private long ringBytes;

    public TailHubs(BrokerLink link, RecordGets gets, ChunkLogOptions options, TimeProvider clock, ILogger<TailHubs> logger, CancellationToken stopping)
    {
        this.link = link;
        this.options = options;
        this.clock = clock;
        this.logger = logger;
        this.stopping = stopping;
        Gets = gets;
        link.Changed += OnLinkChanged;
        beat = clock.CreateTimer(_ => OnBeat(), null, Beat, Beat);
    }

    public NatsConnection Connection => link.Connection;

    public RecordGets Gets { get; }

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
        if (first) _ = hub.StartAsync(stopping);
        try
        {
            await hub.Ready.WaitAsync(options.ConfirmTimeout, clock, cancellationToken);
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

    /// <summary>Has the leader asked about the followed streams of a run, because something happened to them.</summary>
    /// <param name="filter">The subject filter of the run, which ends in <c>.&gt;</c>.</param>
    public void CheckSoon(string filter)
    {
        foreach (var hub in byStream.Values)
            if (hub.Place.Subject.AsSpan().StartsWith(filter.AsSpan(0, filter.Length - 1), StringComparison.Ordinal)) hub.CheckSoon();
    }

    public void Dispose()
    {
        beat.Dispose();
        checks.Dispose();
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
        foreach (var hub in byStream.Values)
        {
            hub.EndOverdue(now);
            if (hub.NextCheck > now || !hub.Ready.IsCompletedSuccessfully || !link.IsOpen) continue;
            if (!checks.Wait(0, CancellationToken.None)) continue; // The next beat comes soon.
            _ = CheckAsync(hub); // Not awaited: beats go on. It lets no exception out.
        }
    }

    private async Task CheckAsync(TailHub hub)
    {
        try
        {
            await hub.CheckAsync(stopping);
        }
        catch (Exception exception) when (exception is LogUnavailableException or OperationCanceledException)
        {
            // The broker is away: the reconnect, or the next beat, asks again.
        }
        catch (Exception exception)
        {
            LogCheckFailed(exception, hub.Stream);
        }
        finally
        {
            checks.Release();
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
