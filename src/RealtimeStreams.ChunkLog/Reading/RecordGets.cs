using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using NATS.Client.Core;
using RealtimeStreams.ChunkLog.Broker;

namespace RealtimeStreams.ChunkLog.Reading;

/// <summary>Reads stored records by the broker's get API: from any replica by direct get, from the leader where the newest matters.</summary>
/// <remarks>Source: NATS ADR-31 (direct get, batches) and "JetStream wire API", STREAM.MSG.GET.</remarks>
internal sealed partial class RecordGets : IDisposable
{
    /// <summary>The most of one batch: 256 KiB, so that a thousand readers stuck behind their sockets hold 256 MiB, and 256 records.</summary>
    public const int BatchBytes = 256 * 1024;
    public const int BatchRecords = 256;

    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);

    private readonly BrokerLink link;
    private readonly ReplyMultiplexer replies;
    private readonly TimeProvider clock;
    private readonly ILogger<RecordGets> logger;

    // A batch costs the broker 1 to 2 ms of a core: more at once than this only queue there, where they delay appends.
    private readonly SemaphoreSlim batches = new(32);

    public RecordGets(BrokerLink link, ReplyMultiplexer replies, TimeProvider clock, ILogger<RecordGets> logger)
    {
        this.link = link;
        this.replies = replies;
        this.clock = clock;
        this.logger = logger;
        link.Changed += OnLinkChanged;
    }

    /// <summary>Whether direct gets may lag the leader: on more than one replica they may.</summary>
    public bool Replicated { get; set; }

    /// <summary>The last record of a subject, as the leader knows it; null when there is none.</summary>
    public Task<LogRecord?> FindLastAsync(SubjectMap place, CancellationToken cancellationToken) =>
        FindFreshAsync(place, $$"""{"last_by_subj":"{{place.Subject}}"}""", cancellationToken);

    /// <summary>The first record of a subject at or after a sequence, as the leader knows it; null when there is none.</summary>
    public Task<LogRecord?> FindNextFreshAsync(SubjectMap place, ulong sequence, CancellationToken cancellationToken) =>
        FindFreshAsync(place, NextRequest(place, sequence), cancellationToken);

    /// <summary>The first record of a subject at or after a sequence, as any replica knows it; null when there is none.</summary>
    public async Task<LogRecord?> FindNextAsync(SubjectMap place, ulong sequence, CancellationToken cancellationToken) =>
        First(await AskDirectAsync(place, NextRequest(place, sequence), batch: false, cancellationToken));

    /// <summary>The record under a sequence; null when it is gone.</summary>
    public Task<LogRecord?> FindAtAsync(SubjectMap place, ulong sequence, CancellationToken cancellationToken) =>
        FindFreshAsync(place, string.Create(CultureInfo.InvariantCulture, $$"""{"seq":{{sequence}}}"""), cancellationToken);

    /// <summary>The records of a subject from a sequence on, bounded, as any replica knows them.</summary>
    public async Task<IReadOnlyList<LogRecord>> ReadAsync(SubjectMap place, ulong sequence, CancellationToken cancellationToken)
    {
        await batches.WaitAsync(cancellationToken);
        try
        {
            var request = string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"seq":{{sequence}},"next_by_subj":"{{place.Subject}}","batch":{{BatchRecords}},"max_bytes":{{BatchBytes}}}""");
            return await AskDirectAsync(place, request, batch: true, cancellationToken);
        }
        finally
        {
            batches.Release();
        }
    }

    /// <summary>How many records a subject filter matches, as any replica knows it.</summary>
    public async Task<long> CountAsync(string shard, string filter, CancellationToken cancellationToken)
    {
        var reply = new CountReply();
        await AskAsync($"$JS.API.DIRECT.GET.{shard}", $$"""{"seq":1,"next_by_subj":"{{filter}}","batch":1}""", reply, cancellationToken);
        return await reply.Task;
    }

    public void Dispose()
    {
        link.Changed -= OnLinkChanged;
        batches.Dispose();
    }

    private void OnLinkChanged(bool open)
    {
        if (!open) replies.Lose();
    }

    private static LogRecord? First(IReadOnlyList<LogRecord> records) => records.Count == 0 ? null : records[0];

    private static string NextRequest(SubjectMap place, ulong sequence) =>
        string.Create(CultureInfo.InvariantCulture, $$"""{"seq":{{sequence}},"next_by_subj":"{{place.Subject}}"}""");

    private async Task<LogRecord?> FindFreshAsync(SubjectMap place, string request, CancellationToken cancellationToken)
    {
        if (!Replicated) return First(await AskDirectAsync(place, request, batch: false, cancellationToken));
        var reply = new LeaderReply();
        await AskAsync($"$JS.API.STREAM.MSG.GET.{place.Shard}", request, reply, cancellationToken);
        return await reply.Task is { } found ? Parse(found.Body, found.Sequence, place) : null;
    }

    private async Task<IReadOnlyList<LogRecord>> AskDirectAsync(SubjectMap place, string request, bool batch, CancellationToken cancellationToken)
    {
        var reply = new DirectReply(batch);
        await AskAsync($"$JS.API.DIRECT.GET.{place.Shard}", request, reply, cancellationToken);
        var messages = await reply.Task;
        var records = new List<LogRecord>(messages.Count);
        foreach (var (body, sequence) in messages) records.Add(Parse(body, sequence, place));
        return records;
    }

    private async Task AskAsync<T>(string subject, string request, Reply<T> reply, CancellationToken cancellationToken)
    {
        if (!await link.WaitUntilOpenAsync(AnswerTimeout, cancellationToken)) throw new LogUnavailableException("The broker is not connected.");
        var slot = replies.Add(reply);
        try
        {
            await link.Connection.PublishAsync(subject, request, replyTo: replies.ReplySubject(slot, 0), cancellationToken: cancellationToken);
            await reply.Task.WaitAsync(AnswerTimeout, clock, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or NatsException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new LogUnavailableException("The broker did not answer a read in time.", exception);
        }
        finally
        {
            replies.Remove(slot);
        }
    }

    private LogRecord Parse(byte[] body, ulong sequence, SubjectMap place)
    {
        if (LogRecord.TryParse(body, sequence, out var record, out var fault)) return record;
        LogBroken(place.Subject, place.Shard, sequence, fault);
        throw new InvalidDataException($"The message {sequence} of {place.Shard} is not a record: {fault}.");
    }

    [LoggerMessage(EventId = 1001, Level = LogLevel.Error, Message = "Message {Sequence} of {Shard} ({Subject}) is not a record: {Fault}")]
    private partial void LogBroken(string subject, string shard, ulong sequence, string fault);

    /// <summary>An answer being received.</summary>
    private abstract class Reply<T> : IReplyTarget
    {
        private readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Task => done.Task;

        public abstract void OnReply(uint generation, ReadOnlySequence<byte> headers, ReadOnlySequence<byte> payload);

        public void OnLost() => Fail("The connection was lost before the broker answered.");

        protected void Complete(T value) => done.TrySetResult(value);

        protected void Fail(string message) => done.TrySetException(new LogUnavailableException(message));
    }

    /// <summary>Messages with their metadata in headers, then, of a batch, an end marker.</summary>
    private sealed class DirectReply(bool batch) : Reply<List<(byte[] Body, ulong Sequence)>>
    {
        private readonly List<(byte[], ulong)> messages = [];

        public override void OnReply(uint generation, ReadOnlySequence<byte> headers, ReadOnlySequence<byte> payload)
        {
            switch (StatusLine.Read(headers))
            {
                case 0 when StatusLine.FindSequence(headers) is { } sequence:
                    messages.Add((payload.ToArray(), sequence));
                    if (!batch) Complete(messages);
                    break;
                case 204: // The end of a batch.
                case 404: // Nothing (more) there.
                    Complete(messages);
                    break;
                case 413: // max_bytes is smaller than the message: it is sent alone with batch 1.
                    Complete(messages);
                    break;
                case var status:
                    Fail(string.Create(CultureInfo.InvariantCulture, $"The broker refused a read with status {status}."));
                    break;
            }
        }
    }

    /// <summary>The first message of a batch, which says how many there are behind it.</summary>
    private sealed class CountReply : Reply<long>
    {
        public override void OnReply(uint generation, ReadOnlySequence<byte> headers, ReadOnlySequence<byte> payload)
        {
            switch (StatusLine.Read(headers))
            {
                case 0 when StatusLine.FindPending(headers) is { } pending:
                    Complete((long)pending + 1);
                    break;
                case 404:
                    Complete(0);
                    break;
                case 204: // The end of the batch of one.
                    break;
                case var status:
                    Fail(string.Create(CultureInfo.InvariantCulture, $"The broker refused to count with status {status}."));
                    break;
            }
        }
    }

    /// <summary>One JSON message with the record in base64.</summary>
    private sealed class LeaderReply : Reply<(byte[] Body, ulong Sequence)?>
    {
        private const int MessageNotFound = 10037;

        public override void OnReply(uint generation, ReadOnlySequence<byte> headers, ReadOnlySequence<byte> payload)
        {
            if (payload.IsEmpty)
            {
                Fail("No leader answers for the shard.");
                return;
            }
            try
            {
                var reader = new Utf8JsonReader(payload);
                byte[]? body = null;
                ulong sequence = 0;
                var error = 0;
                while (reader.Read())
                {
                    if (reader.TokenType != JsonTokenType.PropertyName) continue;
                    if (reader.ValueTextEquals("seq"u8) && reader.Read()) sequence = reader.GetUInt64();
                    else if (reader.ValueTextEquals("data"u8) && reader.Read()) body = reader.GetBytesFromBase64();
                    else if (reader.ValueTextEquals("err_code"u8) && reader.Read()) error = reader.GetInt32();
                }
                if (error is not 0 and not MessageNotFound)
                    Fail(string.Create(CultureInfo.InvariantCulture, $"The broker refused a read with error {error}."));
                else
                    Complete(error == MessageNotFound ? null : (body ?? [], sequence));
            }
            catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException)
            {
                Fail("The broker's answer to a read is not JSON.");
            }
        }
    }
}
