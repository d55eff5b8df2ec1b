using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace RealtimeStreams.Sdk.Json;

/// <summary>Turns chunks into lines of JSON, one after the other, in memory of its own. One owner at a time.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A writer over memory of the garbage collector holds nothing to release.")]
internal sealed class ChunkScratch<T>
{
    private const int MaxKeptBytes = 64 * 1024;
    private readonly JsonTypeInfo<T> contract;
    private ArrayBufferWriter<byte> bytes = new();
    private readonly Utf8JsonWriter json;

    public ChunkScratch(JsonTypeInfo<T> contract)
    {
        this.contract = contract;
        // Not the contract's own indentation: a chunk is one line.
        var format = new JsonWriterOptions { Encoder = contract.Options.Encoder, MaxDepth = contract.Options.MaxDepth, SkipValidation = true };
        json = new Utf8JsonWriter(bytes, format);
    }

    /// <summary>The chunk as one line, without its end. Valid until the next call.</summary>
    public ReadOnlyMemory<byte> Write(T chunk)
    {
        if (bytes.Capacity > MaxKeptBytes) bytes = new ArrayBufferWriter<byte>(); // One large chunk does not cost its size for ever.
        else bytes.ResetWrittenCount();
        json.Reset(bytes);
        JsonSerializer.Serialize(json, chunk, contract);
        json.Flush();
        return AsOneLine(bytes);
    }

    /// <summary>A converter may write raw JSON with line breaks between its tokens; within texts they are always escaped.</summary>
    private static ReadOnlyMemory<byte> AsOneLine(ArrayBufferWriter<byte> written)
    {
        if (written.WrittenSpan.IndexOfAny((byte)'\r', (byte)'\n') < 0) return written.WrittenMemory;
        var line = written.WrittenSpan.ToArray();
        line.AsSpan().Replace((byte)'\r', (byte)' ');
        line.AsSpan().Replace((byte)'\n', (byte)' ');
        return line;
    }
}
