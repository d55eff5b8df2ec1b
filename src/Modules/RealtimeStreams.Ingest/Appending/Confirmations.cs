using System.Diagnostics;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest.Appending;

/// <summary>The batches of one body that the log has not confirmed yet, oldest first, and the sum of those that it has.</summary>
/// <param name="depth">The most batches in flight.</param>
/// <param name="telemetry">Told of each confirmation.</param>
internal sealed class Confirmations(int depth, IngestTelemetry telemetry)
{
    private readonly Queue<(Task<AppendOutcome> Outcome, int Bytes, long Started)> flying = new(depth);
    private ChunkIndex? first;
    private AppendOutcome.Stored? last;
    private long added;
    private long duplicates;

    /// <summary>The first refusal. What was submitted after it counts for nothing.</summary>
    public AppendOutcome.Refused? Refused { get; private set; }

    public bool Full => flying.Count >= depth;

    /// <summary>What is stored, up to the first refusal; null when nothing is.</summary>
    public AppendReceipt? Receipt =>
        last is null ? null : new AppendReceipt(first?.Value, last.Next.Value, added, duplicates, last.NextSequence);

    public void Add(Task<AppendOutcome> outcome, int bytes) => flying.Enqueue((outcome, bytes, Stopwatch.GetTimestamp()));

    /// <summary>Waits for the oldest batch. The log answers within its own time limit.</summary>
    public async ValueTask WaitForOldestAsync()
    {
        var (outcome, bytes, started) = flying.Dequeue();
        switch (await outcome)
        {
            case var _ when Refused is not null:
                break;
            case AppendOutcome.Stored stored:
                if (last is null || (added == 0 && stored.Added > 0)) first = stored.First;
                last = stored;
                added += stored.Added;
                duplicates += stored.Duplicates;
                telemetry.Confirmed(stored.Added, stored.Duplicates, bytes, Stopwatch.GetElapsedTime(started));
                break;
            case AppendOutcome.Refused refused:
                Refused = refused;
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>Notes that what follows is refused, once all that is in flight is confirmed. A refusal among that stays the first.</summary>
    public async ValueTask RefuseAsync(Refusal refusal)
    {
        await WaitForAllAsync();
        Refused ??= new AppendOutcome.Refused(refusal);
    }

    public async ValueTask WaitForAllAsync()
    {
        while (flying.Count > 0) await WaitForOldestAsync();
    }
}
