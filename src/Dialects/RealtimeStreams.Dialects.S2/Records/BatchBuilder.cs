using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.S2.Wire;

namespace RealtimeStreams.Dialects.S2.Records;

/// <summary>Makes a batch of chunks of the records of one append, however they were written down, and checks them against S2's rules.</summary>
/// <remarks>One for each session or request, used for one batch after the other.</remarks>
internal sealed class BatchBuilder(BatchRules rules) : IDisposable
{
    // The last millisecond of the year 9999, behind which no calendar of ours goes.
    private const long MaxTimestamp = 253_402_300_799_999;
    private const int TrimBytes = 8;

    private readonly ArrayBufferWriter<byte> attributes = new(256);
    private ChunkBatch? batch;
    private int metered;
    private int recordMetered;
    private int headers;
    private bool hasEmptyName;
    private bool isFence;
    private bool isTrim;
    private bool allEnvelopes;

    /// <summary>Begins a batch.</summary>
    /// <param name="capacity">The bytes that its records came in.</param>
    public void Begin(int capacity)
    {
        Dispose();
        batch = new ChunkBatch(Math.Clamp(capacity, 256, Metering.MaxBytes)) { UncappedTimestamps = rules.Uncapped };
        metered = 0;
        allEnvelopes = rules.Unwraps;
    }

    /// <summary>Begins a record; all of its headers and then its end follow.</summary>
    public void BeginRecord()
    {
        attributes.ResetWrittenCount();
        recordMetered = Metering.RecordBytes;
        headers = 0;
        hasEmptyName = isFence = isTrim = false;
    }

    public void AddHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        headers++;
        recordMetered += Metering.HeaderBytes + name.Length + value.Length;
        if (name.IsEmpty)
        {
            hasEmptyName = true;
            isFence = value.SequenceEqual("fence"u8);
            isTrim = value.SequenceEqual("trim"u8);
        }
        // What does not fit is refused with the record's end; until then it is not kept.
        if (metered + (long)recordMetered <= Metering.MaxBytes) ChunkAttributes.WriteHeader(attributes, name, value);
    }

    /// <summary>Ends a record.</summary>
    /// <returns>Null, or why the append cannot be.</returns>
    public S2Error? EndRecord(ReadOnlySpan<byte> body, ulong? timestamp)
    {
        recordMetered += body.Length;
        if (batch!.Count == Metering.MaxRecords) return S2Error.Invalid($"A batch has at most {Metering.MaxRecords} records.");
        if (recordMetered > Metering.MaxBytes) return S2Error.Invalid($"A record measures {recordMetered} bytes; it may measure {Metering.MaxBytes}.");
        if (metered + recordMetered > Metering.MaxBytes) return S2Error.Invalid($"The batch measures more than {Metering.MaxBytes} bytes.");
        metered += recordMetered;
        if (hasEmptyName && NoteCommand(body) is { } fault) return fault;
        if (FindTimestamp(timestamp, out var time) is { } missing) return missing;
        if (rules.Unwraps && !hasEmptyName && Envelope.TryOpen(body, out var data, out var id))
        {
            ChunkAttributes.WritePartId(attributes, id);
            batch.Add(data, ChunkForm.Json, attributes.WrittenSpan, time);
            return null;
        }
        allEnvelopes = false;
        batch.Add(body, ChunkForms.Of(body), attributes.WrittenSpan, time);
        return null;
    }

    /// <summary>Ends the batch.</summary>
    /// <param name="matchSeqNum">The index that the first record must get.</param>
    /// <param name="fencingToken">The token that the stream must have.</param>
    /// <param name="finished">The batch, which the caller owns now.</param>
    /// <returns>Null, or why the append cannot be.</returns>
    public S2Error? Finish(ulong? matchSeqNum, string? fencingToken, out ChunkBatch? finished)
    {
        finished = null;
        if (batch!.Count == 0) return S2Error.Invalid("A batch has at least one record.");
        // No stream gets so far: the mismatch is certain, and the log tells the right number.
        batch.ExpectedIndex = matchSeqNum is { } index ? (long)Math.Min(index, long.MaxValue) : null;
        if (fencingToken is not null && Encoding.UTF8.GetByteCount(fencingToken) > ChunkBatch.MaxTokenBytes)
            return S2Error.Invalid($"A fencing token has at most {ChunkBatch.MaxTokenBytes} bytes.");
        batch.FencingToken = fencingToken;
        // A cut client sends its batches again as they were; with an index to match, it is told that by the mismatch.
        if (allEnvelopes && matchSeqNum is null) batch.IdempotencyKey = KeyOf(batch);
        finished = batch;
        batch = null;
        return null;
    }

    /// <summary>Gives a batch that will not be finished its memory back.</summary>
    public void Dispose()
    {
        batch?.Dispose();
        batch = null;
    }

    /// <summary>A digest of the chunks and their ids, so that only the very same batch is taken for a repeat.</summary>
    private static string KeyOf(ChunkBatch batch)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes(batch.Ends));
        hash.AppendData(batch.Bytes);
        hash.GetHashAndReset(digest);
        return "s2:" + Convert.ToHexStringLower(digest);
    }

    private S2Error? NoteCommand(ReadOnlySpan<byte> body)
    {
        if (headers != 1) return S2Error.Invalid("A header with an empty name makes a record a command; it must be the only one.");
        if (isFence) return rules.MayFence ? NoteFence(body) : NotAllowed("fence");
        if (isTrim) return rules.MayTrim ? NoteTrim(body) : NotAllowed("trim");
        return S2Error.Invalid("A header with an empty name must have the value fence or trim.");
    }

    private static S2Error NotAllowed(string operation) => S2Error.PermissionDenied($"This token does not allow {operation} on this stream.");

    private S2Error? NoteFence(ReadOnlySpan<byte> token)
    {
        if (token.Length > ChunkBatch.MaxTokenBytes) return S2Error.Invalid($"A fencing token has at most {ChunkBatch.MaxTokenBytes} bytes; this one has {token.Length}.");
        if (!Utf8.IsValid(token)) return S2Error.Invalid("A fencing token must be UTF-8.");
        batch!.NewFencingToken = Encoding.UTF8.GetString(token);
        return null;
    }

    private S2Error? NoteTrim(ReadOnlySpan<byte> body)
    {
        if (body.Length != TrimBytes) return S2Error.Invalid($"The body of a trim command is a sequence number in {TrimBytes} bytes, big-endian; this one has {body.Length} bytes.");
        var first = (long)Math.Min(BinaryPrimitives.ReadUInt64BigEndian(body), long.MaxValue);
        // A later trim that gives up as much or more makes the earlier one of the same batch needless; the other way round, each has a cap of its own.
        if (batch!.Trim is { Index: var earlier } && first < earlier) return S2Error.Invalid("The trim commands of one batch must not go backwards.");
        batch.Trim = (first, batch.Count);
        return null;
    }

    private S2Error? FindTimestamp(ulong? given, out long? timestamp)
    {
        timestamp = null;
        if (rules.Mode == TimestampingMode.Arrival) return null;
        if (given is null)
            return rules.Mode == TimestampingMode.ClientRequire ? S2Error.Invalid("The stream requires timestamps (client-require); a record has none.") : null;
        if (rules.Uncapped && given > MaxTimestamp) return S2Error.Invalid($"A timestamp is {given}; it may be at most {MaxTimestamp} (milliseconds since 1970).");
        timestamp = (long)Math.Min(given.Value, MaxTimestamp);
        return null;
    }
}
