using System.Buffers;

namespace RealtimeStreams.Http;

/// <summary>Something beside the stream that a reader is told once, as soon as it comes.</summary>
/// <param name="Write">Writes it. What it writes is flushed by the <see cref="FeedLoop"/>.</param>
/// <param name="Come">Cancelled when it comes.</param>
public sealed record FeedNews(Action<IBufferWriter<byte>> Write, CancellationToken Come);
