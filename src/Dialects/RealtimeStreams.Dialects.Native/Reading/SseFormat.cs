using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Http;

namespace RealtimeStreams.Dialects.Native.Reading;

/// <summary>Server-sent events.</summary>
internal sealed class SseFormat : FeedFormat
{
    public static readonly SseFormat Instance = new();

    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private SseFormat()
    {
    }

    public override string MediaType => ReadRequest.EventStream;

    public override void WriteChunk(LogRecord record, int position, IBufferWriter<byte> output)
    {
        var writer = new SseWriter(output);
        writer.BeginChunk(record.FirstIndex.Plus(position));
        record.WriteJson(position, output);
        writer.EndChunk();
    }

    public override void WriteOpening(IBufferWriter<byte> output) => new SseWriter(output).WriteRetry(Retry);

    public override void WriteHeartbeat(IBufferWriter<byte> output) => new SseWriter(output).WriteComment("heartbeat"u8);

    public override void WriteEvent<T>(string name, T data, JsonTypeInfo<T> contract, IBufferWriter<byte> output) =>
        new SseWriter(output).WriteEvent(Encoding.ASCII.GetBytes(name), JsonSerializer.SerializeToUtf8Bytes(data, contract));
}
