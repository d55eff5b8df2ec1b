using System.Globalization;
using System.Text.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Http;

namespace RealtimeStreams.Sdk.Writing;

/// <summary>
/// One producer of one stream: numbers its chunks from 0, keeps them until they are acknowledged, and sends what has gathered as soon as
/// the request before is answered. One request is in flight at a time, so that the order is kept and a repetition is exactly the unacknowledged rest.
/// </summary>
internal sealed class ChunkProducer(
    Transport transport, RunId run, StreamKey key, ProducerId? chosen, uint epoch, ChunkBuffer buffer)
{
    private readonly string path = Paths.Stream(run, key);
    private readonly WriterPresence presence = new(transport, Paths.Stream(run, key), ReadReceiptAsync);
    private readonly List<ChunkLinesContent> unsettled = [];
    private ProducerId id = chosen ?? RandomIds.NewProducer(); // Owned by RunAsync, like all below.
    private long acknowledged;
    private int mostBytes = int.MaxValue; // Of a request. Halved by each that is lost on its way, doubled by each that is not.
    private long sequence; // Of the oldest chunk that is not acknowledged.
    private long sentUpTo; // One more than the highest number that was ever sent.
    private long? firstIndex;
    private long? nextIndex;

    /// <summary>Sends until the buffer is complete and all of it acknowledged.</summary>
    /// <exception cref="RealtimeStreamsException">The server refused, or was not reached in time.</exception>
    public async Task<PipeReceipt> RunAsync(CancellationToken cancellationToken)
    {
        var retries = transport.NewRetries("append");
        while (await WaitForChunksAsync(cancellationToken).ConfigureAwait(false))
        {
            var (count, lines) = buffer.Peek(mostBytes);
            using var content = new ChunkLinesContent(lines);
            using var request = NewRequest(content);
            var isRepeated = sequence < sentUpTo;
            sentUpTo = Math.Max(sentUpTo, sequence + count);
            var answer = await transport.TrySendAsync("append", request, ReadReceiptAsync, cancellationToken).ConfigureAwait(false);
            var receipt = answer.Value ?? answer.Failure!.Problem?.Receipt;
            if (receipt is not null) CheckSoleUse(receipt, isRepeated);
            var stored = receipt is null ? 0 : CountStored(receipt, count);
            if (content.IsReading) unsettled.Add(content);
            if (stored > 0) Acknowledge(receipt!, stored);
            if (stored > 0 && answer.Failure is null)
            {
                retries.Succeed();
                if (mostBytes < int.MaxValue / 2) mostBytes *= 2;
                continue;
            }
            if (IsForgotten(answer.Failure) && chosen is null && !isRepeated)
            {
                StartAnew();
                continue;
            }
            if (WasLost(answer.Failure) && content.WasRead) mostBytes = Math.Max(content.Length / 2, 1);
            if (answer.Failure is { Code: RealtimeStreamsException.BadAnswer, Status: 413 } && count > 1) continue; // A proxy's limit.
            await retries.WaitAsync(answer.Failure ?? Empty(), answer.RetryAfter, cancellationToken).ConfigureAwait(false);
        }
        await presence.EndAsync().ConfigureAwait(false);
        return new PipeReceipt(acknowledged, firstIndex, nextIndex, id.Value);
    }

    /// <summary>Waits for chunks; false when none come any more. A stream that has some of this producer has a writer meanwhile, also if it says nothing for long.</summary>
    private ValueTask<bool> WaitForChunksAsync(CancellationToken cancellationToken)
    {
        var waiting = buffer.WaitAsync(cancellationToken);
        return waiting.IsCompleted || acknowledged == 0
            ? waiting
            : new ValueTask<bool>(presence.HoldWhileAsync(waiting.AsTask(), cancellationToken));
    }

    private HttpRequestMessage NewRequest(ChunkLinesContent content)
    {
        var request = transport.NewRequest(HttpMethod.Post, path, content);
        request.Headers.TryAddWithoutValidation(NativeHeaders.ProducerId, id.Value);
        request.Headers.TryAddWithoutValidation(NativeHeaders.ProducerEpoch, epoch.ToString(CultureInfo.InvariantCulture));
        request.Headers.TryAddWithoutValidation(NativeHeaders.ProducerSequence, sequence.ToString(CultureInfo.InvariantCulture));
        return request;
    }

    private void Acknowledge(AppendReceipt receipt, int stored)
    {
        unsettled.RemoveAll(content => !content.IsReading);
        buffer.Release(stored, reusable: unsettled.Count == 0);
        if (acknowledged == 0) firstIndex = receipt.FirstIndex;
        nextIndex = receipt.NextIndex;
        sequence += stored;
        acknowledged += stored;
        transport.Telemetry.Sent.Add(stored);
        if (receipt.Duplicates > 0) transport.Telemetry.Duplicates.Add(receipt.Duplicates);
        transport.Logger.LogAcknowledged(run.Value, key.Value, stored);
    }

    /// <summary>How many of the request's chunks are in the stream, by this try or an earlier one.</summary>
    private int CountStored(AppendReceipt receipt, int sent)
    {
        var stored = receipt.NextSequence is { } next ? next - sequence : receipt.Stored + receipt.Duplicates;
        return (int)Math.Clamp(stored, 0, sent);
    }

    /// <summary>Only chunks that were sent before can be duplicates. A name chosen by the user may have been used by another incarnation in
    /// the same epoch, whose chunks would silently stand for these.</summary>
    private void CheckSoleUse(AppendReceipt receipt, bool isRepeated)
    {
        var isForeign = receipt.NextSequence > sentUpTo || (chosen is not null && !isRepeated && receipt.Duplicates > 0);
        if (!isForeign) return;
        throw new RealtimeStreamsException(
            $"The producer '{id}' has written to the stream '{key}' of run '{run}' before in the epoch {epoch}. Give every incarnation a new epoch, or no name.")
        {
            Code = RealtimeStreamsException.ProducerReused,
        };
    }

    /// <summary>Whether a request was lost on its way. Where connections break after so many bytes, or a proxy takes no more than so many, a
    /// large request never arrives; smaller and smaller ones do some time.</summary>
    private static bool WasLost(RealtimeStreamsException? failure) =>
        failure?.Code is RealtimeStreamsException.Unreachable or RealtimeStreamsException.BadAnswer;

    /// <summary>Whether the stream knows the producer no more: it keeps the 64 that wrote last.</summary>
    private static bool IsForgotten(RealtimeStreamsException? failure) =>
        failure?.Code == ErrorCode.SequenceGap.Code && failure.Problem?.ExpectedSequence == 0;

    /// <summary>Goes on under a new name. Safe, because what was sent once and refused is not stored; after a lost answer it could be.</summary>
    private void StartAnew()
    {
        id = RandomIds.NewProducer();
        sequence = sentUpTo = 0;
    }

    private static RealtimeStreamsException Empty() =>
        new("The server acknowledged none of the chunks.") { Code = RealtimeStreamsException.BadAnswer, Retryable = true };

    private static async ValueTask<AppendReceipt?> ReadReceiptAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
            return await JsonSerializer.DeserializeAsync(body, NativeJson.Default.AppendReceipt, cancellationToken).ConfigureAwait(false);
    }
}
