using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using NATS.Client.Core;

namespace RealtimeStreams.ChunkLog.Broker;

/// <summary>Takes a reply on the socket's read loop. Must not throw and must not block; the buffers are borrowed for the call.</summary>
internal interface IReplyTarget
{
    void OnReply(uint generation, ReadOnlySequence<byte> headers, ReadOnlySequence<byte> payload);

    /// <summary>The connection was lost: what was asked over it will never be answered.</summary>
    void OnLost();
}

/// <summary>
/// One subscription for the replies to everything that a connection asks, told apart by the numbers at the end of the reply subject:
/// a third of the client's cost of one reply slot a request. A generation keeps late replies away from the next question of the same target.
/// </summary>
/// <remarks>The prefix is not the connection's inbox prefix: NATS.Net matches those subjects exactly, so that a wildcard would never deliver.</remarks>
internal sealed class ReplyMultiplexer : NatsSubBase
{
    private readonly string prefix;
    private readonly ConcurrentDictionary<uint, IReplyTarget> targets = new();
    private uint lastSlot;

    private ReplyMultiplexer(INatsConnection connection, string prefix)
        : base(connection, connection.SubscriptionManager, prefix + ">", queueGroup: null, opts: null)
    {
        this.prefix = prefix;
    }

    public static async Task<ReplyMultiplexer> SubscribeAsync(INatsConnection connection, string name, CancellationToken cancellationToken)
    {
        var multiplexer = new ReplyMultiplexer(connection, $"{name}.{Guid.NewGuid():N}.");
        await connection.AddSubAsync(multiplexer, cancellationToken);
        return multiplexer;
    }

    /// <summary>Gives a target its number. Taken back by <see cref="Remove"/>.</summary>
    public uint Add(IReplyTarget target)
    {
        while (true)
        {
            var slot = Interlocked.Increment(ref lastSlot);
            if (targets.TryAdd(slot, target)) return slot;
        }
    }

    public void Remove(uint slot) => targets.TryRemove(slot, out _);

    /// <summary>Tells all targets that the connection was lost. NATS.Net would let them wait for their time-outs.</summary>
    public void Lose()
    {
        foreach (var target in targets.Values) target.OnLost();
    }

    public string ReplySubject(uint slot, uint generation) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{slot}.{generation}");

    protected override ValueTask ReceiveInternalAsync(
        string subject, string? replyTo, ReadOnlySequence<byte>? headersBuffer, ReadOnlySequence<byte> payloadBuffer)
    {
        var tail = subject.AsSpan(prefix.Length);
        var dot = tail.IndexOf('.');
        if (dot > 0
            && uint.TryParse(tail[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out var slot)
            && uint.TryParse(tail[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var generation)
            && targets.TryGetValue(slot, out var target))
            target.OnReply(generation, headersBuffer ?? ReadOnlySequence<byte>.Empty, payloadBuffer);
        return default;
    }

    protected override void TryComplete()
    {
    }
}
