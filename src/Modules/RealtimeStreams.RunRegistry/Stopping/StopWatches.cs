using System.Threading.Channels;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Stopping;

/// <summary>The runs that are watched on this node: one entry a run, however many watch it. As many entries as there are requests that last, at most.</summary>
internal sealed class StopWatches
{
    private readonly Lock gate = new();
    private readonly Dictionary<(EnvironmentId, RunId), Entry> entries = [];

    // One place: whoever looks sees all that was stored before.
    private readonly Channel<bool> looks = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Each item asks <see cref="StopLookout"/> to look into the database.</summary>
    public ChannelReader<bool> Looks => looks.Reader;

    public IStopWatch Watch(EnvironmentId environment, RunId run)
    {
        lock (gate)
        {
            if (!entries.TryGetValue((environment, run), out var entry)) entries[(environment, run)] = entry = new Entry();
            entry.Watchers++;
            return new Handle(this, (environment, run), entry);
        }
    }

    /// <summary>Has the database looked at soon, if anybody watches any run. Neither blocks nor throws.</summary>
    public void LookSoon()
    {
        lock (gate)
        {
            if (entries.Count == 0) return;
        }
        looks.Writer.TryWrite(true);
    }

    /// <summary>The same, if anybody watches this run.</summary>
    public void LookSoon(EnvironmentId environment, RunId run)
    {
        lock (gate)
        {
            if (!entries.TryGetValue((environment, run), out var entry) || entry.Request is not null) return;
        }
        looks.Writer.TryWrite(true);
    }

    /// <summary>Tells a request to who watches the run, once.</summary>
    public async Task TellAsync(EnvironmentId environment, RunId run, StopRequest request)
    {
        CancellationTokenSource source;
        lock (gate)
        {
            if (!entries.TryGetValue((environment, run), out var entry) || entry.Request is not null) return;
            entry.Request = request;
            source = entry.Source;
        }
        await source.CancelAsync(); // Not under the lock: it calls who watches. Has no timer, so that nothing needs disposing.
    }

    private void Leave((EnvironmentId, RunId) name, Entry entry)
    {
        lock (gate)
        {
            if (--entry.Watchers == 0) entries.Remove(name);
        }
    }

    private sealed class Entry
    {
        public int Watchers { get; set; }

        public CancellationTokenSource Source { get; } = new();

        // Set before the source is cancelled.
        public StopRequest? Request { get; set; }
    }

    private sealed class Handle(StopWatches owner, (EnvironmentId, RunId) name, Entry entry) : IStopWatch
    {
        private int isDisposed;

        public CancellationToken Requested => entry.Source.Token;

        public StopRequest? Request => entry.Request;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref isDisposed, 1) == 0) owner.Leave(name, entry);
        }
    }
}
