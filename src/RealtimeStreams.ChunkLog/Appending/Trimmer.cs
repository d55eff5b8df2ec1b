using Microsoft.Extensions.Logging;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.ChunkLog.Reading;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Appending;

/// <summary>Removes the records before streams' trim points (given up, or expired), once the trim points are stored. Readers do not see them any more already.</summary>
/// <remarks>
/// It does not meet with appends: it removes only what lies before the last record, which carries the head, and later records have higher
/// sequences. What a crash cuts off, the next trim of the stream or the next appender that loads its head asks for again.
/// </remarks>
internal sealed partial class Trimmer(
    RecordGets gets, IndexSeek seek, Purges purges, TimeProvider clock, ILogger<Trimmer> logger, CancellationToken stopping)
{
    /// <summary>As many wait while the broker is away; about 200 bytes each. Those beyond are asked for again, see above.</summary>
    private const int MaxStreams = 10_000;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly Dictionary<string, (SubjectMap Place, ChunkIndex TrimPoint)> pending = [];
    private bool running;

    /// <summary>How many streams wait.</summary>
    public int Count
    {
        get
        {
            lock (gate) return pending.Count;
        }
    }

    /// <summary>Has a stream's records before its trim point removed, soon.</summary>
    public void Trim(SubjectMap place, ChunkIndex trimPoint)
    {
        lock (gate)
        {
            if (pending.TryGetValue(place.Subject, out var earlier) ? earlier.TrimPoint >= trimPoint : pending.Count >= MaxStreams) return;
            pending[place.Subject] = (place, trimPoint);
            if (running) return;
            running = true;
        }
        _ = RunAsync(); // Not awaited: nobody waits for it. It lets no exception out.
    }

    private async Task RunAsync()
    {
        while (TryTake(out var place, out var trimPoint))
        {
            try
            {
                await TrimNowAsync(place, trimPoint, stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (LogUnavailableException)
            {
                Trim(place, trimPoint);
                await Task.Delay(RetryDelay, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception exception)
            {
                LogFailed(exception, place.Subject);
            }
        }
    }

    private bool TryTake(out SubjectMap place, out ChunkIndex trimPoint)
    {
        lock (gate)
        {
            running = pending.Count > 0;
            (place, trimPoint) = pending.Values.FirstOrDefault();
            if (running) pending.Remove(place.Subject);
            return running;
        }
    }

    /// <summary>Removes a stream's records before its trim point, if there are any, the oldest first and a bounded step at a time.</summary>
    /// <exception cref="LogUnavailableException">The broker did not answer in time. Some may have been removed; ask again.</exception>
    public async Task TrimNowAsync(SubjectMap place, ChunkIndex trimPoint, CancellationToken cancellationToken)
    {
        if (await gets.FindNextFreshAsync(place, 1, cancellationToken) is not { } first || first.NextIndex > trimPoint) return;
        if (await gets.FindLastAsync(place, cancellationToken) is not { } last || last.Sequence == first.Sequence) return;
        var end = Math.Min(last.Sequence, await seek.FindAsync(place, trimPoint, cancellationToken) ?? last.Sequence);
        for (var oldest = first; oldest is not null;)
        {
            var sequence = await StepAsync(place, oldest, trimPoint, end, cancellationToken);
            await purges.BeforeAsync(place, sequence, cancellationToken);
            if (sequence == end) break;
            oldest = await gets.FindNextFreshAsync(place, sequence, cancellationToken);
        }
        LogTrimmed(place.Subject, trimPoint.Value, end);
    }

    /// <summary>How far a step goes. A record has a sequence of its own, and a chunk too (but for the few that only tell what expired), so whichever of the two gets further.</summary>
    private async Task<ulong> StepAsync(SubjectMap place, LogRecord oldest, ChunkIndex trimPoint, ulong end, CancellationToken cancellationToken)
    {
        var bySequence = oldest.Sequence + Purges.Step;
        if (bySequence >= end || trimPoint.Value - oldest.FirstIndex.Value <= Purges.Step) return end;
        var byIndex = await seek.FindAsync(place, new ChunkIndex(oldest.FirstIndex.Value + Purges.Step), cancellationToken) ?? end;
        return Math.Min(end, Math.Max(bySequence, byIndex));
    }

    [LoggerMessage(EventId = 1012, Level = LogLevel.Debug, Message = "Removed what {Subject} had before index {TrimPoint}: its records before {Sequence}")]
    private partial void LogTrimmed(string subject, long trimPoint, ulong sequence);

    [LoggerMessage(EventId = 1013, Level = LogLevel.Error, Message = "What {Subject} gave up could not be removed")]
    private partial void LogFailed(Exception exception, string subject);
}
