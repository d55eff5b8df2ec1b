using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Http;
using RealtimeStreams.Sdk.Reading;

namespace RealtimeStreams.Sdk;

/// <summary>A read of a stream: enumerate it for the chunks, or <see cref="Items"/> for the chunks with their indexes.</summary>
/// <remarks>It keeps its cursor: enumerating it again, after a break or a failure, goes on with the next chunk. Not for several enumerations at once.</remarks>
/// <typeparam name="T">The type of a chunk.</typeparam>
public sealed class StreamRead<T> : IAsyncEnumerable<T>
{
    private readonly Transport transport;
    private readonly RunId run;
    private readonly StreamKey key;
    private readonly JsonTypeInfo<T> contract;
    private readonly ReadOptions options;
    private readonly CancellationToken stopping;
    private int isReading;

    internal StreamRead(
        Transport transport, RunId run, StreamKey key, JsonTypeInfo<T> contract, ReadOptions options, CancellationToken stopping)
    {
        if (options.Timeout is { } timeout && (timeout <= TimeSpan.Zero || timeout > TimeSpan.FromDays(1)))
            throw new ArgumentOutOfRangeException(nameof(options), timeout, "The timeout must be more than 0 and at most 1 day.");
        this.transport = transport;
        this.run = run;
        this.key = key;
        this.contract = contract;
        this.options = options;
        this.stopping = stopping;
        NextIndex = options.StartIndex < 0 ? null : options.StartIndex;
    }

    /// <summary>The cursor: the index of the next chunk; null while a start from the end has not met its first chunk.</summary>
    public long? NextIndex { get; private set; }

    /// <summary>Why the enumeration ended; <see cref="ReadEnding.None"/> while it has not.</summary>
    public ReadEnding Ending { get; private set; }

    /// <summary>How the stream ended, once the read has come to its end.</summary>
    public Outcome? Outcome { get; private set; }

    /// <summary>When and why somebody has asked the run to stop, as far as this read has come to know; null while nobody has. The read goes on.</summary>
    public StopNotice? StopRequested { get; private set; }

    /// <summary>The chunks with their indexes. Shares the cursor.</summary>
    /// <exception cref="RealtimeStreamsException">The server refused for good, or was not reached in time.</exception>
    /// <exception cref="ChunksTrimmedException">Chunks are gone before they were read, and <see cref="ReadOptions.OnTrimmed"/> is not set.</exception>
    /// <exception cref="JsonException">A chunk is not a <typeparamref name="T"/>. The cursor stays at it.</exception>
    public IAsyncEnumerable<StreamItem<T>> Items => ReadItemsAsync(CancellationToken.None);

    /// <summary>Enumerates the chunks. Fails as <see cref="Items"/> does.</summary>
    public async IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        await foreach (var item in ReadItemsAsync(cancellationToken).ConfigureAwait(false)) yield return item.Data;
    }

    private async IAsyncEnumerable<StreamItem<T>> ReadItemsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref isReading, 1) == 1) throw new InvalidOperationException("This read is being enumerated already.");
        (Ending, Outcome) = (ReadEnding.None, null);
        transport.Telemetry.Readers.Add(1);
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellationToken);
            using var follower = new StreamFollower(
                transport, run, key, NextIndex ?? options.StartIndex, options.Timeout, either.Token);
            while (await AdvanceAsync(follower).ConfigureAwait(false))
            {
                var item = new StreamItem<T>(follower.Cursor!.Value - 1, Deserialize(follower));
                NextIndex = follower.Cursor;
                transport.Telemetry.Received.Add(1);
                yield return item;
            }
        }
        finally
        {
            transport.Telemetry.Readers.Add(-1);
            Volatile.Write(ref isReading, 0);
        }
    }

    /// <summary>Goes on to the next chunk; false when the read has ended.</summary>
    private async ValueTask<bool> AdvanceAsync(StreamFollower follower)
    {
        while (true)
        {
            switch (await follower.NextAsync().ConfigureAwait(false))
            {
                case Followed.Chunk:
                    return true;
                case Followed.CaughtUp:
                    NextIndex = follower.Cursor;
                    options.OnCaughtUp?.Invoke(follower.Cursor!.Value);
                    break;
                case Followed.Trimmed:
                    NextIndex = follower.Cursor; // Whoever enumerates again knows of the loss.
                    var trimmed = follower.Trimmed!;
                    if (options.OnTrimmed is null) throw new ChunksTrimmedException(trimmed.RequestedIndex, trimmed.FirstIndex);
                    options.OnTrimmed(trimmed);
                    break;
                case Followed.StopRequested when StopRequested is null:
                    StopRequested = follower.StopRequested;
                    options.OnStopRequested?.Invoke(StopRequested!);
                    break;
                case Followed.Closed:
                    (Ending, Outcome) = (ReadEnding.Closed, follower.Outcome);
                    return false;
                case Followed.TimedOut:
                    Ending = ReadEnding.TimedOut;
                    return false;
            }
        }
    }

    private T Deserialize(StreamFollower follower)
    {
        try
        {
            return JsonSerializer.Deserialize(follower.Chunk, contract)!;
        }
        catch (JsonException fault)
        {
            throw new JsonException(
                string.Create(CultureInfo.InvariantCulture, $"Chunk {follower.Cursor - 1} of the stream '{key}' of run '{run}' is no {typeof(T)}."), fault);
        }
    }
}
