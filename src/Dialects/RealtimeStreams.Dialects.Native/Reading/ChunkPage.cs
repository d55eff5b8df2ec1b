using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.Native.Streams;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Reading;

/// <summary>A piece of a stream as one JSON document. All of it is fetched before the first byte is sent.</summary>
internal sealed class ChunkPage(IStreamRead read, int limit)
{
    // What one page may hold in memory, until a reader who takes nothing is given up: records are shared with other readers, but not for sure. A token has 100 such places.
    private const long MaxBytes = 2L * 1024 * 1024;

    // A small page goes out at once.
    private const int FlushBytes = 64 * 1024;

    // For what is stored already, which takes milliseconds unless the broker is away.
    private static readonly TimeSpan StoredWait = TimeSpan.FromSeconds(5);

    private readonly List<(LogRecord Record, int Position, int Count)> pieces = [];
    private long bytes;
    private int count;
    private bool caughtUp;
    private ChunkIndex cursor = read.Cursor;
    private Outcome? end;

    /// <summary>Fetches what is there. Waits only for a first chunk, and for at most <paramref name="wait"/>.</summary>
    /// <returns>False when the stream was erased meanwhile.</returns>
    public async Task<bool> FetchAsync(TimeSpan? wait, CancellationToken cancellationToken)
    {
        while (count < limit && bytes < MaxBytes)
        {
            var step = await read.NextAsync(!caughtUp ? StoredWait : count == 0 && wait is { } most ? most : TimeSpan.Zero, cancellationToken);
            switch (step.Kind)
            {
                case ReadStepKind.Chunks:
                    Add(step.Record!, step.From);
                    break;
                case ReadStepKind.CaughtUp:
                    caughtUp = true;
                    break;
                case ReadStepKind.Trimmed:
                    cursor = step.From;
                    break;
                case ReadStepKind.Ended:
                    caughtUp = true;
                    end = step.Outcome;
                    return true;
                case ReadStepKind.Erased:
                    return false;
                case ReadStepKind.Idle when !caughtUp && count == 0:
                    throw new LogUnavailableException("What is stored of the stream could not be read in time.");
                case ReadStepKind.Idle:
                    return true;
            }
        }
        return true;
    }

    /// <summary>Writes the page. A reader who takes it slowly costs what is left of it, and not that once more.</summary>
    public async Task WriteAsync(PipeWriter output, StreamSummary? stored, StopRequest? requested, CancellationToken cancellationToken)
    {
        var state = end ?? stored?.End;
        var line = new ArrayBufferWriter<byte>();
        await using var json = new Utf8JsonWriter(output);
        var flushed = 0L;
        json.WriteStartObject();
        json.WriteStartArray("chunks");
        for (var piece = 0; piece < pieces.Count; piece++)
        {
            var (record, position, some) = pieces[piece];
            pieces[piece] = default;
            for (var i = position; i < position + some; i++)
            {
                json.WriteStartObject();
                json.WriteNumber("index", record.FirstIndex.Plus(i).Value);
                json.WriteString("time", record.AdmittedAt(i));
                json.WritePropertyName("data");
                line.ResetWrittenCount();
                record.WriteJson(i, line);
                json.WriteRawValue(line.WrittenSpan, skipInputValidation: true); // Checked when it was stored.
                json.WriteEndObject();
            }
            if (json.BytesCommitted + json.BytesPending - flushed < FlushBytes) continue;
            json.Flush();
            flushed = json.BytesCommitted;
            if ((await output.FlushAsync(cancellationToken)).IsCompleted) return; // The reader has gone.
        }
        json.WriteEndArray();
        json.WriteNumber("firstIndex", stored?.FirstIndex.Value ?? 0);
        json.WriteNumber("nextIndex", cursor.Value);
        json.WriteString("state", StreamTexts.State(state));
        if (state is { } outcome) json.WriteString("outcome", outcome.ToWord());
        json.WriteBoolean("caughtUp", cursor >= read.NextIndex);
        if (StopTelling.Notice(requested) is { } notice)
        {
            json.WritePropertyName("stopRequested");
            JsonSerializer.Serialize(json, notice, WireJson.Contracts.StopNotice);
        }
        json.WriteEndObject();
        json.Flush();
        await output.FlushAsync(cancellationToken);
    }

    private void Add(LogRecord record, ChunkIndex from)
    {
        var first = (int)(from.Value - record.FirstIndex.Value);
        var some = 0;
        while (first + some < record.Count && count < limit && bytes < MaxBytes)
        {
            bytes += record.Chunk(first + some).Length;
            some++;
            count++;
        }
        pieces.Add((record, first, some));
        cursor = from.Plus(some);
    }
}
