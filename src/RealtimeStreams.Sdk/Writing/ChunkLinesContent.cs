using System.Net;
using System.Net.Http.Headers;

namespace RealtimeStreams.Sdk.Writing;

/// <summary>A body of lines that lie in a <see cref="ChunkBuffer"/>; written without copying them.</summary>
internal sealed class ChunkLinesContent : HttpContent
{
    private readonly IReadOnlyList<ReadOnlyMemory<byte>> lines;
    private volatile bool reading;
    private volatile bool wasRead;

    public ChunkLinesContent(IReadOnlyList<ReadOnlyMemory<byte>> lines)
    {
        this.lines = lines;
        foreach (var part in lines) Length += part.Length;
        Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
    }

    /// <summary>How many bytes there are.</summary>
    public int Length { get; }

    /// <summary>Whether the bytes are still being read: a server may answer before it has read all, and the sending goes on beside the answer.</summary>
    public bool IsReading => reading;

    /// <summary>Whether sending it has begun.</summary>
    public bool WasRead => wasRead;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        reading = wasRead = true;
        try
        {
            foreach (var part in lines) await stream.WriteAsync(part, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            reading = false;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = Length;
        return true;
    }
}
