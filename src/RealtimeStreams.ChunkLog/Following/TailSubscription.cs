using System.Buffers;
using NATS.Client.Core;
using RealtimeStreams.ChunkLog.Broker;

namespace RealtimeStreams.ChunkLog.Following;

/// <summary>The subscription to what the broker repeats of one stream after commit. Hands over on the socket's read loop, without a channel that could drop.</summary>
internal sealed class TailSubscription(INatsConnection connection, string subject, Action<byte[], ulong> received)
    : NatsSubBase(connection, connection.SubscriptionManager, subject, queueGroup: null, opts: null)
{
    protected override ValueTask ReceiveInternalAsync(
        string subject, string? replyTo, ReadOnlySequence<byte>? headersBuffer, ReadOnlySequence<byte> payloadBuffer)
    {
        // The broker puts Nats-Sequence on what it repeats (ADR-8); a message without is somebody else's.
        if (headersBuffer is { } headers && StatusLine.FindSequence(headers) is { } sequence)
            received(payloadBuffer.ToArray(), sequence);
        return default;
    }

    protected override void TryComplete()
    {
    }
}
