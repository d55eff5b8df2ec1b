using Microsoft.Extensions.Logging;

namespace RealtimeStreams.ChunkLog.Broker;

/// <summary>The three connections of a process, so that a slow reader cannot block acknowledgements, nor a catch-up the live tail.</summary>
internal sealed class BrokerLinks : IAsyncDisposable
{
    private BrokerLinks(BrokerLink publish, BrokerLink tail, BrokerLink read)
    {
        Publish = publish;
        Tail = tail;
        Read = read;
    }

    /// <summary>Publishes and their acknowledgements.</summary>
    public BrokerLink Publish { get; }

    /// <summary>Subscriptions to what the broker repeats after commit.</summary>
    public BrokerLink Tail { get; }

    /// <summary>Reads of stored records.</summary>
    public BrokerLink Read { get; }

    public static async Task<BrokerLinks> ConnectAsync(string url, ILoggerFactory loggerFactory, CancellationToken cancellationToken)
    {
        var links = new BrokerLinks(
            new BrokerLink(url, "realtimestreams-publish", loggerFactory),
            new BrokerLink(url, "realtimestreams-tail", loggerFactory),
            new BrokerLink(url, "realtimestreams-read", loggerFactory));
        try
        {
            await Task.WhenAll(
                links.Publish.Connection.ConnectAsync().AsTask(),
                links.Tail.Connection.ConnectAsync().AsTask(),
                links.Read.Connection.ConnectAsync().AsTask()).WaitAsync(cancellationToken);
            return links;
        }
        catch
        {
            await links.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Publish.DisposeAsync();
        await Tail.DisposeAsync();
        await Read.DisposeAsync();
    }
}
