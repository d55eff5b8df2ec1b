using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Http;

namespace RealtimeStreams.Sdk.Reading;

/// <summary>What a follower has to tell.</summary>
internal enum Followed
{
    Chunk,
    CaughtUp,
    Trimmed,
    Closed,
    TimedOut,
    StopRequested,
}

/// <summary>
/// Follows a stream over as many connections as it takes: each chunk once, in the order of the indexes, from the cursor on. One owner at a time.
/// </summary>
internal sealed class StreamFollower(
    Transport transport, RunId run, StreamKey key, long startIndex, TimeSpan? idleTimeout, CancellationToken cancellationToken) : IDisposable
{
    private const int BufferBytes = 32 * 1024;
    private readonly SseParser parser = new();
    private readonly Retries retries = transport.NewRetries("read");
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int start;
    private int end;
    private long lastChunk = transport.Time.GetTimestamp();
    private Connection? connection;
    private bool isRenewing; // The server has ended the read for its credential, and there can be another one.

    /// <summary>The index that comes next; null while a start from the end has not met its first chunk.</summary>
    public long? Cursor { get; private set; } = startIndex < 0 ? null : startIndex;

    /// <summary>The last chunk. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Chunk => parser.Data;

    /// <summary>What is gone.</summary>
    public TrimmedEvent? Trimmed { get; private set; }

    /// <summary>That somebody has asked the run to stop.</summary>
    public StopNotice? StopRequested { get; private set; }

    /// <summary>How the stream ended.</summary>
    public Outcome Outcome { get; private set; }

    /// <summary>Waits for what comes next. After a chunk the cursor stands behind it.</summary>
    /// <exception cref="RealtimeStreamsException">The server refused for good, or was not reached in time.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<Followed> NextAsync()
    {
        while (true)
        {
            RealtimeStreamsException? cut = null;
            TimeSpan? retryAfter = null;
            try
            {
                while (parser.Read(buffer.AsSpan(start, end - start), out var consumed))
                {
                    start += consumed;
                    if (Take() is { } followed) return followed;
                }
                start = end = 0; // The parser has used up all, and keeps what is no whole event yet.
                if (isRenewing)
                {
                    transport.Logger.LogReadRenewed(run.Value, key.Value, Cursor);
                    Disconnect();
                    isRenewing = false;
                }
                if (connection is null)
                {
                    var answer = await ConnectAsync().ConfigureAwait(false);
                    (cut, retryAfter) = (answer.Failure, answer.RetryAfter);
                    if (answer.Value is { } response) connection = await Connection.OpenAsync(response, transport, cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    end = await connection.ReadAsync(buffer).ConfigureAwait(false);
                    if (end == 0) cut = Cut("the connection ended without an end of the stream");
                }
            }
            catch (RealtimeStreamsException said)
            {
                cut = said;
            }
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested && (Transport.IsLoss(failure) || failure is InvalidDataException))
            {
                cut = Transport.Lost(failure);
            }
            cancellationToken.ThrowIfCancellationRequested();
            if (cut is null) continue;
            transport.Logger.LogCut(run.Value, key.Value, Cursor, cut.Message);
            // One that held for a while was a success, though nothing may have come.
            if (connection?.Age > transport.Options.MaxBackoff) retries.Succeed();
            Disconnect();
            await retries.WaitAsync(cut, retryAfter, cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        Disconnect();
        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Takes the parser's event; null when it is nothing to tell.</summary>
    private Followed? Take()
    {
        switch (parser.Kind)
        {
            case SseKind.Chunk:
                if (parser.Id is not { } index || index < 0) throw Cut("a chunk came without its index");
                if (index < Cursor) return null; // Delivered before the connection was cut.
                if (index > Cursor) throw Cut(string.Create(CultureInfo.InvariantCulture, $"index {index} came in place of {Cursor}"));
                Cursor = index + 1;
                lastChunk = transport.Time.GetTimestamp();
                retries.Succeed();
                return Followed.Chunk;
            case SseKind.CaughtUp:
                Cursor ??= Parse(NativeJson.Default.CaughtUpEvent).NextIndex;
                retries.Live();
                return Followed.CaughtUp;
            case SseKind.Trimmed:
                var trimmed = Parse(NativeJson.Default.TrimmedEvent);
                if (trimmed.FirstIndex <= Cursor) return null;
                Trimmed = trimmed with { RequestedIndex = Cursor ?? trimmed.RequestedIndex };
                Cursor = trimmed.FirstIndex;
                return Followed.Trimmed;
            case SseKind.End:
                var ended = Parse(NativeJson.Default.EndEvent);
                // Beyond the end lies nothing, so a start behind it has missed nothing.
                if (Cursor < ended.NextIndex) throw Cut("the end came before all chunks had");
                Outcome = ended.Outcome;
                return Followed.Closed;
            case SseKind.StopRequested:
                if (StopRequested is not null) return null; // Every connection begins with it.
                StopRequested = Parse(NativeJson.Default.StopNotice);
                return Followed.StopRequested;
            case SseKind.Timeout:
                return Followed.TimedOut;
            case SseKind.Reconnect:
                throw Cut("the server asks to connect again");
            case SseKind.TokenExpired:
                Cursor ??= Parse(NativeJson.Default.TokenExpiredEvent).NextIndex;
                isRenewing = connection!.Refuse(transport);
                // Without another one the server's answer to the next try says why.
                return isRenewing ? null : throw Cut("the credential that it was opened with is none any more");
            case SseKind.Error:
                throw new RealtimeStreamsException(Parse(NativeJson.Default.Problem));
            default:
                return null; // An event of a later version of the server.
        }
    }

    private T Parse<T>(JsonTypeInfo<T> contract)
        where T : class =>
        JsonSerializer.Deserialize(parser.Data, contract) ?? throw Cut("an event has no content");

    private async Task<Answer<HttpResponseMessage>> ConnectAsync()
    {
        using var request = transport.NewRequest(HttpMethod.Get, Paths.Stream(run, key) + Query());
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using var silence = new CancellationTokenSource(transport.Options.ReadSilence, transport.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        return await transport.TryOpenAsync(request, "text/event-stream", either.Token).ConfigureAwait(false);
    }

    private string Query()
    {
        var query = string.Create(CultureInfo.InvariantCulture, $"?startIndex={Cursor ?? startIndex}");
        if (idleTimeout is not { } timeout) return query;
        // The time already waited on earlier connections counts; the server has the last word, so at least its shortest wait is left.
        var left = timeout - transport.Time.GetElapsedTime(lastChunk);
        var seconds = Math.Clamp((long)Math.Ceiling(left.TotalSeconds), 1, 86400);
        return string.Create(CultureInfo.InvariantCulture, $"{query}&timeoutInSeconds={seconds}");
    }

    private void Disconnect()
    {
        connection?.Dispose();
        connection = null;
        parser.Reset();
        start = end = 0;
    }

    private static RealtimeStreamsException Cut(string reason) =>
        new($"The read was cut: {reason}.") { Code = RealtimeStreamsException.Unreachable, Retryable = true };

    /// <summary>An open response, with the watch over its silence.</summary>
    private sealed class Connection : IDisposable
    {
        private readonly HttpResponseMessage response;
        private readonly Stream body;
        private readonly TimeSpan patience;
        private readonly CancellationTokenSource silence;
        private readonly CancellationTokenSource either;
        private readonly TimeProvider time;
        private readonly long opened;

        private Connection(HttpResponseMessage response, Stream body, Transport transport, CancellationToken cancellationToken)
        {
            this.response = response;
            this.body = body;
            patience = transport.Options.ReadSilence;
            time = transport.Time;
            opened = time.GetTimestamp();
            silence = new CancellationTokenSource(patience, transport.Time);
            either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        }

        public bool Refuse(Transport transport) => transport.Refuse(response);

        public TimeSpan Age => time.GetElapsedTime(opened);

        public static async Task<Connection> OpenAsync(HttpResponseMessage response, Transport transport, CancellationToken cancellationToken)
        {
            try
            {
                var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
                return new Connection(response, body, transport, cancellationToken);
            }
            catch
            {
                response.Dispose();
                throw;
            }
        }

        public async ValueTask<int> ReadAsync(Memory<byte> buffer)
        {
            silence.CancelAfter(patience); // Anew for each piece, so that heartbeats count as signs of life.
            return await body.ReadAsync(buffer, either.Token).ConfigureAwait(false);
        }

        public void Dispose()
        {
            either.Dispose();
            silence.Dispose();
            response.Dispose();
        }
    }
}
