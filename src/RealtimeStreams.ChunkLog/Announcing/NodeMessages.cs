using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using NATS.Client.Core;
using RealtimeStreams.ChunkLog.Broker;

namespace RealtimeStreams.ChunkLog.Announcing;

/// <summary>Messages between nodes on core NATS, subject <c>rsn.{topic}</c>. Subscriptions may come before the connection.</summary>
internal sealed class NodeMessages : INodeMessages
{
    private const string Prefix = "rsn.";
    private const int MaxBytes = 4096;

    private readonly Lock gate = new();
    private ImmutableList<Subscription> subscriptions = [];
    private BrokerLink? link;
    private Receiver? receiver; // NATS.Net holds subscriptions weakly.

    /// <summary>Starts to send and to receive on a connection.</summary>
    public async Task ConnectAsync(BrokerLink connected, CancellationToken cancellationToken)
    {
        receiver = new Receiver(connected.Connection, this);
        await connected.Connection.AddSubAsync(receiver, cancellationToken);
        link = connected;
    }

    public async ValueTask PublishAsync(string topic, string message, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Encoding.UTF8.GetByteCount(message), MaxBytes, nameof(message));
        if (link is not { IsOpen: true } open) throw new LogUnavailableException("The broker is not connected.");
        try
        {
            await open.Connection.PublishAsync(Prefix + topic, message, cancellationToken: cancellationToken);
        }
        catch (Exception exception) when (exception is NatsException or IOException or ObjectDisposedException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new LogUnavailableException("The broker did not take the message.", exception);
        }
    }

    public IDisposable Subscribe(string topic, Action<string> onMessage)
    {
        var subscription = new Subscription(this, topic, onMessage);
        lock (gate) subscriptions = subscriptions.Add(subscription);
        return subscription;
    }

    private void Take(string topic, string message)
    {
        foreach (var subscription in subscriptions)
            if (subscription.Topic == topic) subscription.OnMessage(message);
    }

    private sealed class Subscription(NodeMessages owner, string topic, Action<string> onMessage) : IDisposable
    {
        public string Topic { get; } = topic;

        public Action<string> OnMessage { get; } = onMessage;

        public void Dispose()
        {
            lock (owner.gate) owner.subscriptions = owner.subscriptions.Remove(this);
        }
    }

    private sealed class Receiver(INatsConnection connection, NodeMessages owner)
        : NatsSubBase(connection, connection.SubscriptionManager, Prefix + ">", queueGroup: null, opts: null)
    {
        protected override ValueTask ReceiveInternalAsync(
            string subject, string? replyTo, ReadOnlySequence<byte>? headersBuffer, ReadOnlySequence<byte> payloadBuffer)
        {
            if (payloadBuffer.Length <= MaxBytes) owner.Take(subject[Prefix.Length..], Encoding.UTF8.GetString(payloadBuffer));
            return default;
        }

        protected override void TryComplete()
        {
        }
    }
}
