using System.Collections.Concurrent;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using RealtimeStreams.ChunkLog.Reading;

namespace RealtimeStreams.ChunkLog.Broker;

/// <summary>Removes records for good, in steps that hold up the other streams of their shard for some milliseconds each.</summary>
/// <remarks>
/// A purge holds its shard from its first to its last record: 0.4 to 1 µs a record of one stream, 1.4 µs a record of many (5 in steps), measured, and what it reads from the disk. Between two steps the shard serves whoever waits.
/// A process sends a shard one at a time, or those that queue there would make one long step.
/// </remarks>
internal sealed class Purges(BrokerLink link, RecordGets gets, LogTelemetry telemetry, TimeProvider clock)
{
    /// <summary>The most records of a step, give or take those that are written or that others remove meanwhile: about 10 ms of one stream, 50 to 80 of a thousand.</summary>
    public const int Step = 10_000;

    /// <summary>Without a limit NATS.Net would wait for a broker that is away for as long as that is.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, SemaphoreSlim> turns = new(StringComparer.Ordinal); // One a shard, 16.

    /// <summary>Removes all records whose subjects match a filter, the oldest first.</summary>
    /// <exception cref="LogUnavailableException">The broker did not answer in time. Some may have been removed; ask again.</exception>
    public async Task AllAsync(string shard, string filter, CancellationToken cancellationToken)
    {
        // "Keep the newest so many" costs the broker what it removes; "before a sequence" would have it look at all that the filter matches, each time.
        for (var kept = await gets.CountAsync(shard, filter, cancellationToken) - Step; kept > 0; kept -= Step)
            await PurgeAsync("erased", shard, new StreamPurgeRequest { Filter = filter, Keep = (ulong)kept }, cancellationToken);
        await PurgeAsync("erased", shard, new StreamPurgeRequest { Filter = filter }, cancellationToken);
    }

    /// <summary>Removes a stream's records before a sequence, which is not behind that of a record that stays, in one step.</summary>
    /// <exception cref="LogUnavailableException">The broker did not answer in time. Ask again.</exception>
    public Task BeforeAsync(SubjectMap place, ulong sequence, CancellationToken cancellationToken) =>
        PurgeAsync("trimmed", place.Shard, new StreamPurgeRequest { Filter = place.Subject, Seq = sequence }, cancellationToken);

    private async Task PurgeAsync(string reason, string shard, StreamPurgeRequest request, CancellationToken cancellationToken)
    {
        var turn = turns.GetOrAdd(shard, _ => new SemaphoreSlim(1));
        await turn.WaitAsync(cancellationToken);
        try
        {
            if (!await link.WaitUntilOpenAsync(Timeout, cancellationToken)) throw new LogUnavailableException("The broker is not connected.");
            using var limit = new CancellationTokenSource(Timeout, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
            var began = clock.GetTimestamp();
            var purged = await new NatsJSContext(link.Connection).PurgeStreamAsync(shard, request, either.Token);
            telemetry.Purged(reason, (long)purged.Purged, clock.GetElapsedTime(began));
        }
        catch (Exception exception) when (
            (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested) || exception is NatsException and not NatsJSApiException)
        {
            throw new LogUnavailableException("The broker did not erase in time.", exception);
        }
        finally
        {
            turn.Release();
        }
    }
}
