using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Following;

/// <summary>Follows one stream for all its readers in this process: one subscription, one ring, one wake-up each record.</summary>
/// <remarks>
/// The lock guards everything mutable. Records come from the subscription, and from checks of the leader where the subscription may have
/// missed some (it is at most once); both go through <see cref="Take"/>, which keeps only what is newer than what is known.
/// </remarks>
internal sealed class TailHub
{
    /// <summary>A silent stream is checked after 1, 2 and 5 s, then every 15 s: what the broker repeats can be lost, a reader must not wait for ever.</summary>
    private static readonly TimeSpan[] CheckDelays =
        [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15)];

    private readonly Lock gate = new();
    private readonly TailHubs hubs;
    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RecordRing ring = new();
    private readonly CancellationTokenSource leaving;
    private Task starting = Task.CompletedTask;
    private TaskCompletionSource? refresh;
    private bool refreshing;
    private bool stopped;
    private List<TailWaiter> waiters = [];
    private List<TailWaiter>? spare;
    private TailSubscription? subscription;
    private ulong lastSequence;
    private long nextIndex;
    private long trimPoint;
    private long lastTimestamp;
    private int end;
    private bool erased;
    private int silentChecks;

    public TailHub(TailHubs hubs, StreamAddress stream)
    {
        this.hubs = hubs;
        leaving = CancellationTokenSource.CreateLinkedTokenSource(hubs.Stopping);
        Stream = stream;
        Place = SubjectMap.Of(stream);
        NextCheck = hubs.DeadlineIn(CheckDelays[0]);
    }

    public StreamAddress Stream { get; }

    public SubjectMap Place { get; }

    public Task Ready => ready.Task;

    /// <summary>Read without the lock: <see cref="End"/> is set after it, so that who sees the end sees the last index.</summary>
    public ChunkIndex NextIndex => new(Volatile.Read(ref nextIndex));

    /// <summary>Set after <see cref="NextIndex"/>, so that it is never beyond it.</summary>
    public ChunkIndex FirstIndex => new(Volatile.Read(ref trimPoint));

    public long LastTimestamp => Volatile.Read(ref lastTimestamp);

    public Outcome? End => Volatile.Read(ref end) is var outcome and not 0 ? (Outcome)outcome : null;

    public bool Erased => Volatile.Read(ref erased);

    /// <summary>When the leader is to be asked, in ticks of <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long NextCheck { get; private set; }

    /// <summary>Readers of the hub; the hubs' owner counts under its own lock.</summary>
    public int Readers { get; set; }

    /// <summary>Begins to follow; <see cref="Ready"/> says when it does, or why it cannot.</summary>
    public void Start() => starting = StartAsync(leaving.Token);

    /// <summary>Ends it for good, once its last reader has left.</summary>
    public async ValueTask StopAsync()
    {
        await leaving.CancelAsync();
        await starting; // Or it would subscribe after this, and nobody would ever end that.
        if (subscription is not null) await subscription.DisposeAsync();
        lock (gate)
        {
            stopped = true;
            hubs.CountRing(-ring.Bytes);
            ring.Clear();
        }
        leaving.Dispose();
    }

    /// <summary>Subscribes first, then reads the last record: what comes between is in both. Lets no exception out.</summary>
    private async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            subscription = new TailSubscription(hubs.Connection, Place.TailSubject, OnMessage);
            await hubs.Connection.AddSubAsync(subscription, cancellationToken);
            // The broker has the subscription once it answers a ping: both go down one connection in order.
            await hubs.Connection.PingAsync(cancellationToken);
            await CheckAsync(cancellationToken);
            ready.TrySetResult();
        }
        catch (Exception exception)
        {
            // NATS.Net cancels pings when the connection breaks.
            ready.TrySetException(exception is NATS.Client.Core.NatsException or TimeoutException
                || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
                ? new LogUnavailableException("The broker did not take the subscription in time.", exception)
                : exception);
        }
    }

    /// <summary>Asks the leader what the last record is, and takes it in.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        bool known;
        lock (gate) known = lastSequence > 0;
        var last = await hubs.Gets.FindLastAsync(Place, cancellationToken);
        if (last is not null) Take(last);
        else if (known) Erase(); // What came while the leader was being asked is not what it says is gone.
        lock (gate) NextCheck = hubs.DeadlineIn(CheckDelays[Math.Min(silentChecks++, CheckDelays.Length - 1)]);
    }

    /// <summary>Waits for a check that begins after this call. Those who ask while one is under way share the next.</summary>
    public Task RefreshAsync()
    {
        Task refreshed;
        bool begin;
        lock (gate)
        {
            refreshed = (refresh ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            begin = !refreshing;
            refreshing = true;
        }
        if (begin) _ = RefreshAllAsync(); // Not awaited: it serves those who come meanwhile too. It answers through their tasks.
        return refreshed;
    }

    private async Task RefreshAllAsync()
    {
        while (true)
        {
            TaskCompletionSource asked;
            lock (gate)
            {
                if (refresh is null)
                {
                    refreshing = false;
                    return;
                }
                asked = refresh;
                refresh = null;
            }
            try
            {
                await CheckAsync(hubs.Stopping);
                asked.TrySetResult();
            }
            catch (Exception exception)
            {
                asked.TrySetException(exception);
            }
        }
    }

    public LogRecord? Find(ChunkIndex index)
    {
        if (index < FirstIndex) return null;
        lock (gate) return ring.Find(index);
    }

    /// <summary>Waits like <see cref="IStreamTail.WaitAsync"/>.</summary>
    public ValueTask<bool> WaitAsync(TailWaiter waiter, ChunkIndex cursor, long deadline, CancellationToken cancellationToken)
    {
        ValueTask<bool> wait;
        lock (gate)
        {
            if (IsOver(cursor)) return new ValueTask<bool>(true);
            wait = waiter.Begin(cursor, deadline);
            waiters.Add(waiter);
        }
        waiter.EndBy(cancellationToken);
        return wait;
    }

    /// <summary>Ends the waits whose time has passed.</summary>
    public void EndOverdue(long now)
    {
        lock (gate)
        {
            for (var i = waiters.Count - 1; i >= 0; i--)
            {
                var waiter = waiters[i];
                if (waiter.IsWaiting && waiter.Deadline > now) continue;
                waiters.RemoveAt(i);
                waiter.End(found: false);
            }
        }
    }

    /// <summary>Forgets the waiter of a reader that leaves.</summary>
    public void Remove(TailWaiter waiter)
    {
        lock (gate) waiters.Remove(waiter);
    }

    /// <summary>Has the leader asked soon: the subscription may have missed something.</summary>
    public void CheckSoon()
    {
        lock (gate)
        {
            silentChecks = 0;
            NextCheck = 0;
        }
    }

    private bool IsOver(ChunkIndex cursor) => NextIndex > cursor || End is not null || Erased;

    private void OnMessage(byte[] message, ulong sequence)
    {
        if (LogRecord.TryParse(message, sequence, out var record, out var fault)) Take(record);
        else hubs.LogBroken(Stream, sequence, fault);
    }

    private void Take(LogRecord record)
    {
        List<TailWaiter>? woken;
        lock (gate)
        {
            if (stopped || erased || record.Sequence <= lastSequence) return; // What is asked for before an erasure may be answered after it.
            if (record.FirstIndex < NextIndex)
            {
                EraseLocked(); // Indexes that went back belong to a new life of an erased stream.
                woken = TakeWaiters();
            }
            else
            {
                lastSequence = record.Sequence;
                Volatile.Write(ref lastTimestamp, record.LastTimestamp);
                Volatile.Write(ref nextIndex, record.NextIndex.Value);
                if (record.TrimPoint > FirstIndex)
                {
                    Volatile.Write(ref trimPoint, record.TrimPoint.Value);
                    var held = ring.Bytes;
                    ring.DropBefore(record.TrimPoint);
                    hubs.CountRing(ring.Bytes - held);
                }
                if (record.End is { } outcome) Volatile.Write(ref end, (int)outcome);
                silentChecks = 0;
                NextCheck = hubs.DeadlineIn(CheckDelays[0]);
                if (record.Count > 0)
                {
                    var before = ring.Bytes;
                    ring.Add(record, hubs.IsTight);
                    hubs.CountRing(ring.Bytes - before);
                }
                woken = TakeWaiters();
            }
        }
        Wake(woken);
    }

    /// <summary>All that was stored is gone. The hub serves those who followed it to their end, and nobody else.</summary>
    public void Erase()
    {
        List<TailWaiter>? woken;
        lock (gate)
        {
            EraseLocked();
            woken = TakeWaiters();
        }
        Wake(woken);
    }

    private void EraseLocked()
    {
        Volatile.Write(ref erased, true);
        hubs.CountRing(-ring.Bytes);
        ring.Clear();
    }

    /// <summary>Takes all waiters out; null when there are none. A reader whose cursor is beyond what came waits anew.</summary>
    private List<TailWaiter>? TakeWaiters()
    {
        if (waiters.Count == 0) return null;
        var taken = waiters;
        waiters = spare ?? [];
        spare = null;
        return taken;
    }

    private void Wake(List<TailWaiter>? woken)
    {
        if (woken is null) return;
        foreach (var waiter in woken) waiter.End(found: true);
        woken.Clear();
        lock (gate) spare = woken;
    }
}
