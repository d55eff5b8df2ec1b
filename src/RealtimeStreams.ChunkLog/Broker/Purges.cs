using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace RealtimeStreams.ChunkLog.Broker;

/// <summary>Removes records for good.</summary>
internal sealed class Purges(BrokerLink link, TimeProvider clock)
{
    /// <summary>100,000 records take the broker 160 ms; without a limit NATS.Net would wait for a broker that is away for as long as that is.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Removes all records whose subjects match a filter.</summary>
    /// <exception cref="LogUnavailableException">The broker did not answer in time. Ask again.</exception>
    public Task AllAsync(string shard, string filter, CancellationToken cancellationToken) =>
        PurgeAsync(shard, new StreamPurgeRequest { Filter = filter }, cancellationToken);

    /// <summary>Removes a stream's records before a sequence, which is that of a record that stays.</summary>
    /// <exception cref="LogUnavailableException">The broker did not answer in time. Ask again.</exception>
    public Task BeforeAsync(SubjectMap place, ulong sequence, CancellationToken cancellationToken) =>
        PurgeAsync(place.Shard, new StreamPurgeRequest { Filter = place.Subject, Seq = sequence }, cancellationToken);

    private async Task PurgeAsync(string shard, StreamPurgeRequest request, CancellationToken cancellationToken)
    {
        if (!await link.WaitUntilOpenAsync(Timeout, cancellationToken)) throw new LogUnavailableException("The broker is not connected.");
        using var limit = new CancellationTokenSource(Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await new NatsJSContext(link.Connection).PurgeStreamAsync(shard, request, either.Token);
        }
        catch (Exception exception) when (
            (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested) || exception is NatsException and not NatsJSApiException)
        {
            throw new LogUnavailableException("The broker did not erase in time.", exception);
        }
    }
}
