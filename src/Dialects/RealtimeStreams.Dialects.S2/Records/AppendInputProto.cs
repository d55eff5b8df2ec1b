using System.Text;
using System.Text.Unicode;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.S2.Wire;

namespace RealtimeStreams.Dialects.S2.Records;

/// <summary>Reads an append that was written as protobuf, <c>AppendInput</c>.</summary>
internal static class AppendInputProto
{
    /// <returns>Null, or why the append cannot be.</returns>
    public static S2Error? Read(ReadOnlySpan<byte> message, BatchBuilder builder, out ChunkBatch? batch)
    {
        batch = null;
        ulong? matchSeqNum = null;
        string? fencingToken = null;
        builder.Begin(message.Length);
        var reader = new ProtoReader(message);
        while (reader.TryNext(out var field))
        {
            switch (field)
            {
                case 1:
                    var record = reader.ReadBytes();
                    if (!reader.Failed && ReadRecord(record, builder) is { } error) return error;
                    break;
                case 2:
                    matchSeqNum = reader.ReadVarint();
                    break;
                case 3:
                    var token = reader.ReadBytes();
                    if (!Utf8.IsValid(token)) return S2Error.BadProto("The fencing token is not UTF-8.");
                    fencingToken = Encoding.UTF8.GetString(token);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return reader.Failed ? Malformed("AppendInput") : builder.Finish(matchSeqNum, fencingToken, out batch);
    }

    private static S2Error? ReadRecord(ReadOnlySpan<byte> message, BatchBuilder builder)
    {
        ulong? timestamp = null;
        ReadOnlySpan<byte> body = default;
        builder.BeginRecord();
        var reader = new ProtoReader(message);
        while (reader.TryNext(out var field))
        {
            switch (field)
            {
                case 1:
                    timestamp = reader.ReadVarint();
                    break;
                case 2:
                    var header = reader.ReadBytes();
                    if (!reader.Failed && !TryReadHeader(header, builder)) return Malformed("Header");
                    break;
                case 3:
                    body = reader.ReadBytes();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return reader.Failed ? Malformed("AppendRecord") : builder.EndRecord(body, timestamp);
    }

    private static bool TryReadHeader(ReadOnlySpan<byte> message, BatchBuilder builder)
    {
        ReadOnlySpan<byte> name = default;
        ReadOnlySpan<byte> value = default;
        var reader = new ProtoReader(message);
        while (reader.TryNext(out var field))
        {
            switch (field)
            {
                case 1: name = reader.ReadBytes(); break;
                case 2: value = reader.ReadBytes(); break;
                default: reader.Skip(); break;
            }
        }
        if (reader.Failed) return false;
        builder.AddHeader(name, value);
        return true;
    }

    private static S2Error Malformed(string message) => S2Error.BadProto($"The protobuf message {message} is malformed.");
}
