using System.Buffers;
using System.Text.Json.Serialization.Metadata;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Native.Reading;

/// <summary>How a live read looks on the wire. One instance a format, under which the log keeps the framed records.</summary>
internal abstract class FeedFormat : IRecordFraming
{
    public abstract string MediaType { get; }

    public abstract void WriteChunk(LogRecord record, int position, IBufferWriter<byte> output);

    /// <summary>Writes the first bytes, so that the reader knows at once that it is connected.</summary>
    public abstract void WriteOpening(IBufferWriter<byte> output);

    public abstract void WriteHeartbeat(IBufferWriter<byte> output);

    /// <param name="name">One of <see cref="NativeEvents"/>.</param>
    /// <param name="data">Its data.</param>
    /// <param name="contract">The data's JSON contract.</param>
    /// <param name="output">Where to.</param>
    public abstract void WriteEvent<T>(string name, T data, JsonTypeInfo<T> contract, IBufferWriter<byte> output);
}
