using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using NATS.Client.Core;
using RealtimeStreams.ChunkLog.Appending;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Forwarding;

/// <summary>Hands the appends of a contended stream to the node that writes it: by core request and reply, subject <c>rsf.{node}</c>.</summary>
internal sealed partial class Forwarder(
    BrokerLink link, ReplyMultiplexer replies, NodeDirectory nodes, TimeProvider clock, TimeSpan timeout, ILogger<Forwarder> logger)
{
    private const string Prefix = "rsf.";
    private Receiver? receiver; // NATS.Net holds subscriptions weakly.

    /// <summary>Starts to take what other nodes hand over.</summary>
    /// <param name="append">Appends here, without handing on.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task StartAsync(Func<StreamAddress, AppendRequest, Task<AppendOutcome>> append, CancellationToken cancellationToken)
    {
        receiver = new Receiver(link.Connection, Prefix + nodes.Self, (message, reply) => _ = TakeAsync(message, reply, append));
        await link.Connection.AddSubAsync(receiver, cancellationToken);
    }

    /// <summary>The node that writes a contended stream; null when it is this one.</summary>
    public string? FindOther(SubjectMap place) => nodes.OwnerOf(place.Subject) is var owner && owner == nodes.Self ? null : owner;

    /// <summary>Hands requests over, in their order. What each came to; null when the node is not there, so that nothing of it was stored.</summary>
    /// <exception cref="LogUnavailableException">No answer came: the requests may be stored.</exception>
    public async Task<ForwardedOutcome[]?> ForwardAsync(
        string node, StreamAddress stream, IReadOnlyList<AppendRequest> requests, CancellationToken cancellationToken)
    {
        var reply = new Reply();
        var slot = replies.Add(reply);
        try
        {
            await link.Connection.PublishAsync(
                Prefix + node, ForwardedAppends.Write(stream, requests), replyTo: replies.ReplySubject(slot, 0), cancellationToken: cancellationToken);
            var answer = await reply.Task.WaitAsync(timeout, clock, cancellationToken);
            var outcomes = answer.Length == 0 ? null : JsonSerializer.Deserialize(answer, ForwardedJson.Default.ForwardedOutcomeArray);
            if (outcomes is null) nodes.Forget(node);
            else if (outcomes.Length != requests.Count) throw new LogUnavailableException("The other node's answer does not fit.");
            return outcomes;
        }
        catch (Exception exception) when (exception is TimeoutException or NatsException or JsonException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            nodes.Forget(node);
            throw new LogUnavailableException("The other node did not answer in time.", exception);
        }
        finally
        {
            replies.Remove(slot);
        }
    }

    private async Task TakeAsync(byte[] message, string replyTo, Func<StreamAddress, AppendRequest, Task<AppendOutcome>> append)
    {
        try
        {
            var (stream, requests) = ForwardedAppends.Read(message, clock.GetTimestamp());
            var appends = requests.ConvertAll(request => append(stream, request)); // All queued, in order, before the first is awaited.
            var outcomes = new ForwardedOutcome[requests.Count];
            for (var i = 0; i < outcomes.Length; i++) outcomes[i] = ForwardedOutcome.Of(await appends[i], requests[i].WasClosed);
            await link.Connection.PublishAsync(replyTo, JsonSerializer.SerializeToUtf8Bytes(outcomes, ForwardedJson.Default.ForwardedOutcomeArray));
        }
        catch (Exception exception)
        {
            LogFailed(exception); // The other node's time runs out, and it asks the log itself.
        }
    }

    [LoggerMessage(EventId = 1030, Level = LogLevel.Warning, Message = "Appends that another node handed over could not be answered")]
    private partial void LogFailed(Exception exception);

    private sealed class Reply : IReplyTarget
    {
        private readonly TaskCompletionSource<byte[]> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<byte[]> Task => done.Task;

        /// <summary>Empty: no responders.</summary>
        public void OnReply(uint generation, ReadOnlySequence<byte> headers, ReadOnlySequence<byte> payload) => done.TrySetResult(payload.ToArray());

        public void OnLost() => done.TrySetException(new LogUnavailableException("The connection was lost before the other node answered."));
    }

    private sealed class Receiver(INatsConnection connection, string subject, Action<byte[], string> received)
        : NatsSubBase(connection, connection.SubscriptionManager, subject, queueGroup: null, opts: null)
    {
        protected override ValueTask ReceiveInternalAsync(
            string subject, string? replyTo, ReadOnlySequence<byte>? headersBuffer, ReadOnlySequence<byte> payloadBuffer)
        {
            if (replyTo is not null) received(payloadBuffer.ToArray(), replyTo);
            return default;
        }

        protected override void TryComplete()
        {
        }
    }
}
