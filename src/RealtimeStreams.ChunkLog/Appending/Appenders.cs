using System.Collections.Concurrent;
using System.Globalization;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Appending;

/// <summary>The appenders of a process: one a stream in use, dropped after 30 s without work, and the longest idle ones beyond the bound.</summary>
internal sealed class Appenders : IDisposable
{
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<StreamAddress, Appender> byStream = new();
    private readonly AppenderParts parts;
    private readonly ChunkLogOptions options;
    private readonly ITimer sweeper;
    private readonly Action<AppendRequest> uncount;
    private long queuedBytes;
    private volatile bool disposed;

    public Appenders(AppenderParts parts, ChunkLogOptions options)
    {
        this.parts = parts;
        this.options = options;
        uncount = request => Interlocked.Add(ref queuedBytes, -request.Bytes);
        sweeper = parts.Clock.CreateTimer(_ => Sweep(), null, SweepInterval, SweepInterval);
    }

    public int Count => byStream.Count;

    public long QueuedBytes => Interlocked.Read(ref queuedBytes);

    /// <summary>Hands a request to its stream's appender and waits for what it comes to.</summary>
    public async Task<AppendOutcome> AppendAsync(StreamAddress stream, AppendRequest request, CancellationToken cancellationToken)
    {
        if (Interlocked.Add(ref queuedBytes, request.Bytes) > options.MaxQueuedBytes)
        {
            Interlocked.Add(ref queuedBytes, -request.Bytes);
            request.Batch?.Dispose();
            return new AppendOutcome.Refused(new Refusal(
                ErrorCode.Busy, string.Create(CultureInfo.InvariantCulture, $"More than {options.MaxQueuedBytes} bytes wait for the broker in this server.")));
        }
        // Counted until the request is settled, not until its caller leaves: it holds its memory so long.
        request.Settled = uncount;
        while (!await Get(stream).EnqueueAsync(request, cancellationToken))
        {
            if (!disposed) continue; // That one was retired just now: a new one takes its place.
            request.Batch?.Dispose();
            request.Settle(new AppendOutcome.Refused(new Refusal(ErrorCode.ShuttingDown, "The server is stopping. Nothing was stored.")));
            break;
        }
        return await request.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Has the heads of a run's streams loaded anew, because it was erased.</summary>
    /// <param name="filter">The run's subject filter.</param>
    public void Doubt(string filter)
    {
        foreach (var appender in byStream.Values)
            if (appender.IsIn(filter)) appender.Doubt();
    }

    public void Dispose()
    {
        sweeper.Dispose();
        disposed = true;
        foreach (var appender in byStream.Values)
            if (appender.TryRetire()) appender.Dispose();
    }

    private Appender Get(StreamAddress stream)
    {
        while (true)
        {
            if (byStream.TryGetValue(stream, out var found)) return found;
            var made = new Appender(stream, parts);
            if (byStream.TryAdd(stream, made)) return made;
            made.Dispose();
        }
    }

    private void Sweep()
    {
        var excess = byStream.Count - options.MaxCachedHeads;
        var candidates = byStream.Where(entry => excess > 0 || parts.Clock.GetElapsedTime(entry.Value.IdleSince) > IdleTime);
        if (excess > 0) candidates = candidates.OrderBy(entry => entry.Value.IdleSince);
        foreach (var (stream, appender) in candidates)
        {
            if (excess <= 0 && parts.Clock.GetElapsedTime(appender.IdleSince) <= IdleTime) break;
            if (!appender.TryRetire()) continue;
            byStream.TryRemove(stream, out _);
            appender.Dispose();
            excess--;
        }
    }
}
