using System.Buffers;
using System.Text.Json;

namespace RealtimeStreams.Dialects.S2.Wire;

/// <summary>The answer to an append.</summary>
/// <param name="Start">The first record's place.</param>
/// <param name="End">Behind the last record, with the last record's timestamp.</param>
/// <param name="Tail">The stream's end, with its last record's timestamp.</param>
internal readonly record struct AppendAck(StreamPosition Start, StreamPosition End, StreamPosition Tail)
{
    /// <summary>The bytes of the protobuf message.</summary>
    public int Size =>
        Proto.SizeOfBytes(Proto.SizeOfPosition(Start)) + Proto.SizeOfBytes(Proto.SizeOfPosition(End)) + Proto.SizeOfBytes(Proto.SizeOfPosition(Tail));

    public void WriteProto(IBufferWriter<byte> output)
    {
        Proto.WritePosition(output, 1, Start);
        Proto.WritePosition(output, 2, End);
        Proto.WritePosition(output, 3, Tail);
    }

    public void WriteFrame(IBufferWriter<byte> output)
    {
        Frame.WriteHeader(output, Size);
        WriteProto(output);
    }

    public void WriteJson(IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, S2Json.WriterOptions);
        json.WriteStartObject();
        json.WritePosition("start", Start);
        json.WritePosition("end", End);
        json.WritePosition("tail", Tail);
        json.WriteEndObject();
    }
}

/// <summary>Writes positions as JSON.</summary>
internal static class PositionJson
{
    public static void WritePosition(this Utf8JsonWriter json, string name, StreamPosition position)
    {
        json.WriteStartObject(name);
        json.WriteNumber("seq_num", position.SeqNum);
        json.WriteNumber("timestamp", position.Timestamp);
        json.WriteEndObject();
    }
}
