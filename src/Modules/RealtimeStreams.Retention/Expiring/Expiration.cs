using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Retention.Expiring;

/// <summary>Gives up the chunks that are older than the retention in force for their stream.</summary>
/// <remarks>
/// For each stream whose noted time has come: 1. The row is claimed: it is put off for a while (<see cref="SweepOptions.ExpiryClaim"/>), if it still is as it was found, so that of several nodes one goes on; who dies leaves a row that is
/// found again after that. 2. The log gives up what is older, which may be repeated. 3. The row is told when the next look is due: when the oldest chunk that is left expires, but a step later at least,
/// so that a stream that is written all the time is not looked at all the time. Nothing left: a retention later, because whatever comes now is younger than that; or never, if the stream has ended.
/// </remarks>
internal sealed partial class Expiration(
    IStreamExpiries expiries, IChunkLog log, IOptions<SweepOptions> options, RetentionTelemetry telemetry, TimeProvider clock, ILogger<Expiration> logger)
{
    // Each stream is some questions to the broker, one append and a purge.
    private const int Parallelism = 16;

    /// <summary>Takes up to <see cref="SweepOptions.MaxExpiries"/> streams, once as many that must be looked at earlier than was noted are due.</summary>
    /// <returns>Whether there may be more, and it makes sense to go on soon.</returns>
    public async Task<bool> SweepAsync(CancellationToken cancellationToken)
    {
        var most = options.Value.MaxExpiries;
        var pulled = await expiries.PullInAsync(most, cancellationToken);
        if (pulled > 0) LogPulledIn(pulled);
        var found = await expiries.FindDueAsync(most, cancellationToken);
        telemetry.Due(found.Count);
        var failed = 0;
        await Parallel.ForEachAsync(
            found,
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
            async (due, token) =>
            {
                if (!await TryTakeUpAsync(due, token)) Interlocked.Increment(ref failed);
            });
        return (found.Count == most || pulled >= most) && failed == 0;
    }

    private async Task<bool> TryTakeUpAsync(DueStream due, CancellationToken cancellationToken)
    {
        try
        {
            await TakeUpAsync(due, cancellationToken);
            return true;
        }
        catch (LogUnavailableException exception)
        {
            LogLogUnavailable(due.Stream.Key, due.Stream.Run, exception); // It stays claimed, and is found again after that.
        }
        catch (Exception exception) when (exception is not RegistryUnavailableException && !cancellationToken.IsCancellationRequested)
        {
            LogFailed(due.Stream.Key, due.Stream.Run, exception); // The others do not wait for it.
        }
        telemetry.NotExpired();
        return false;
    }

    private async Task TakeUpAsync(DueStream due, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (await expiries.ClaimAsync(due, now + options.Value.ExpiryClaim, cancellationToken) is not { } claimed) return;
        using var activity = telemetry.StartExpire(due.Stream);
        var cutOff = (now - due.Retention).AddMilliseconds(1); // As old as its retention is old enough.
        var left = await log.ExpireAsync(due.Stream, cutOff, cancellationToken);
        var next = NextLook(left, due, now);
        await expiries.PutOffAsync(claimed, next, cancellationToken);
        telemetry.Expired(left?.Expired ?? 0, now - due.NotedAt);
        if (left is { Expired: > 0 }) LogExpired(left.Expired, due.Stream.Key, due.Stream.Run, left.FirstIndex, due.Retention, next);
    }

    private static DateTimeOffset? NextLook(StreamExpiry? left, DueStream due, DateTimeOffset now)
    {
        if (left?.OldestAppendAt is { } oldest)
        {
            var (expires, step) = (oldest + due.Retention, now + ExpirySteps.Of(due.Retention));
            return expires > step ? expires : step;
        }
        return left?.End is not null || (left is null && due.Ended) ? null : now + due.Retention;
    }

    [LoggerMessage(EventId = 1310, Level = LogLevel.Debug, Message = "{Chunks} chunks of {Stream} of run {Run} have expired: it begins with {FirstIndex} now. Retention {Retention}, next look {Next}")]
    private partial void LogExpired(long chunks, StreamKey stream, RunId run, ChunkIndex firstIndex, TimeSpan retention, DateTimeOffset? next);

    [LoggerMessage(EventId = 1311, Level = LogLevel.Warning, Message = "What expired of {Stream} of run {Run} could not be given up; it is tried again later")]
    private partial void LogLogUnavailable(StreamKey stream, RunId run, Exception exception);

    [LoggerMessage(EventId = 1312, Level = LogLevel.Error, Message = "What expired of {Stream} of run {Run} could not be given up; it is tried again later")]
    private partial void LogFailed(StreamKey stream, RunId run, Exception exception);

    [LoggerMessage(EventId = 1313, Level = LogLevel.Information, Message = "The retention of an environment was made shorter: {Streams} streams are looked at earlier")]
    private partial void LogPulledIn(int streams);
}
