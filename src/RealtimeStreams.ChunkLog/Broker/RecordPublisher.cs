using System.Collections.Concurrent;
using System.Globalization;
using NATS.Client.Core;

namespace RealtimeStreams.ChunkLog.Broker;

/// <summary>Publishes records, each only on top of the one that its writer knows, and waits for their acknowledgements.</summary>
internal sealed class RecordPublisher : IDisposable
{
    private const string ExpectedLastSubjectSequence = "Nats-Expected-Last-Subject-Sequence";

    /// <summary>Without an answer after so long the record's fate is looked up instead. A leader that steps down never answers what was in flight.</summary>
    private static readonly TimeSpan AckTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(100);

    private readonly BrokerLink link;
    private readonly ReplyMultiplexer replies;
    private readonly TimeProvider clock;
    private readonly ConcurrentDictionary<uint, PendingAck> pending = new();
    private readonly ITimer sweeper;

    public RecordPublisher(BrokerLink link, ReplyMultiplexer replies, TimeProvider clock)
    {
        this.link = link;
        this.replies = replies;
        this.clock = clock;
        link.Changed += OnLinkChanged;
        sweeper = clock.CreateTimer(_ => Sweep(), null, SweepInterval, SweepInterval);
    }

    /// <summary>Gives an appender its place for acknowledgements. Taken back by <see cref="Release"/>.</summary>
    public (PendingAck Ack, uint Slot) Register()
    {
        var ack = new PendingAck();
        var slot = replies.Add(ack);
        pending[slot] = ack;
        return (ack, slot);
    }

    public void Release(uint slot)
    {
        replies.Remove(slot);
        pending.TryRemove(slot, out _);
    }

    /// <summary>Publishes a record. Its bytes may be used again once the task is complete.</summary>
    /// <param name="place">The caller's place; one publish at a time.</param>
    /// <param name="subject">The stream's subject.</param>
    /// <param name="record">The record's bytes.</param>
    /// <param name="expected">The sequence of the subject's last record, 0 for none.</param>
    /// <param name="cancellationToken">Gives up sending. What was sent may be stored.</param>
    public async ValueTask<PublishOutcome> PublishAsync(
        (PendingAck Ack, uint Slot) place, string subject, ReadOnlyMemory<byte> record, ulong expected, CancellationToken cancellationToken)
    {
        if (!await link.WaitUntilOpenAsync(SweepInterval, cancellationToken)) return new PublishOutcome(PublishKind.Unknown, Reason: "the broker is not connected");
        var generation = place.Ack.Begin(clock.GetTimestamp());
        var outcome = place.Ack.Outcome;
        var headers = new NatsHeaders { [ExpectedLastSubjectSequence] = expected.ToString(CultureInfo.InvariantCulture) };
        try
        {
            await link.Connection.PublishAsync(
                subject, record, headers, replies.ReplySubject(place.Slot, generation), NatsRawSerializer<ReadOnlyMemory<byte>>.Default, cancellationToken: cancellationToken);
        }
        catch (Exception exception) when (exception is NatsException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            place.Ack.GiveUp(exception.Message);
        }
        return await outcome;
    }

    public void Dispose()
    {
        sweeper.Dispose();
        link.Changed -= OnLinkChanged;
        foreach (var ack in pending.Values) ack.GiveUp("the server is stopping");
    }

    private void OnLinkChanged(bool open)
    {
        if (!open) replies.Lose();
    }

    private void Sweep()
    {
        foreach (var ack in pending.Values)
            if (ack.IsWaiting && clock.GetElapsedTime(ack.Since) > AckTimeout) ack.GiveUp("no acknowledgement came in time");
    }
}
