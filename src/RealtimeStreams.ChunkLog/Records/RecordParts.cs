using System.Buffers;
using System.Buffers.Binary;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Records;

/// <summary>Where the parts of a record are whose sizes vary, once all of it has been checked.</summary>
internal readonly record struct RecordParts(int ChunksAt, int AddressAt, int ExtrasAt, int BodyAt)
{
    /// <summary>Finds the parts of a message's body.</summary>
    /// <returns>What is wrong with it; null: nothing.</returns>
    public static string? TryFind(ReadOnlySpan<byte> message, out RecordParts parts)
    {
        parts = default;
        if (FindFaultInFixed(message) is { } fault) return fault;
        int count = BinaryPrimitives.ReadUInt16LittleEndian(message[4..]);
        var first = BinaryPrimitives.ReadInt64LittleEndian(message[8..]);
        var addressBytes = BinaryPrimitives.ReadUInt32LittleEndian(message[48..]);
        var extrasBytes = BinaryPrimitives.ReadUInt32LittleEndian(message[52..]);

        var at = RecordLayout.FixedBytes;
        for (int i = 0, producers = message[3]; i < producers; i++)
        {
            if (at >= message.Length) return "its producers are cut off";
            int length = message[at];
            if (message.Length - at < RecordLayout.ProducerBytes + length) return "its producers are cut off";
            if (!IsProducerId(message.Slice(at + 1, length))) return "a producer's id is not one";
            at += RecordLayout.ProducerBytes + length;
        }
        var rest = (long)message.Length - at - (long)count * RecordLayout.ChunkBytes;
        if (rest < 0 || rest < (long)addressBytes + extrasBytes) return "it is cut off";
        var addressAt = at + count * RecordLayout.ChunkBytes;
        var extrasAt = addressAt + (int)addressBytes;
        parts = new RecordParts(at, addressAt, extrasAt, extrasAt + (int)extrasBytes);
        if (count == 0 && message[1] == 0 && (extrasBytes == 0 || message[extrasAt] != RecordLayout.ExtraState)) return "it has neither chunks nor an end nor a state";
        return FindFaultInChunks(message[at..addressAt], message[parts.BodyAt..])
            ?? RecordExtras.FindFault(message[extrasAt..parts.BodyAt], count, first + count);
    }

    private static string? FindFaultInFixed(ReadOnlySpan<byte> message)
    {
        if (message.Length < RecordLayout.FixedBytes) return "it is shorter than a record's fixed part";
        if (message[0] != RecordLayout.Version) return "its version is not 1";
        var flags = (RecordLayout.Flags)message[1];
        if ((flags & ~RecordLayout.Flags.End) != 0) return "it has unknown flags";
        if (flags.HasFlag(RecordLayout.Flags.End) != message[2] is >= (byte)Outcome.Completed and <= (byte)Outcome.Abandoned)
            return "its end and its outcome do not fit";
        if (message[3] > RecordLayout.MaxProducers) return "it has too many producers";
        int count = BinaryPrimitives.ReadUInt16LittleEndian(message[4..]);
        if (count > ChunkBatch.MaxCount) return "it has too many chunks";
        var first = BinaryPrimitives.ReadInt64LittleEndian(message[8..]);
        if (first < 0 || first > long.MaxValue - count) return "its first index is out of range";
        if (BinaryPrimitives.ReadInt64LittleEndian(message[16..]) < 0) return "its total of bytes is out of range";
        var time = BinaryPrimitives.ReadInt64LittleEndian(message[24..]);
        return time is < 0 or > 253_402_300_000_000 ? "its time is out of range" : null;
    }

    private static bool IsProducerId(ReadOnlySpan<byte> utf8)
    {
        Span<char> text = stackalloc char[255];
        return System.Text.Unicode.Utf8.ToUtf16(utf8, text, out _, out var length, replaceInvalidSequences: false) == OperationStatus.Done
            && ProducerId.FindFault(new string(text[..length])) is null;
    }

    private static string? FindFaultInChunks(ReadOnlySpan<byte> entries, ReadOnlySpan<byte> body)
    {
        long before = 0;
        for (; entries.Length > 0; entries = entries[RecordLayout.ChunkBytes..])
        {
            long end = BinaryPrimitives.ReadUInt32LittleEndian(entries);
            if (end < before || end > body.Length) return "a chunk's end is out of range";
            if (entries[7] != 0 && ChunkKind.FindFault(entries[7], body[(int)before..(int)end]) is { } fault) return fault;
            before = end;
        }
        return before == body.Length ? null : "its chunks do not fill it";
    }
}
