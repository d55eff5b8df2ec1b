using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>A chunk with its place.</summary>
/// <typeparam name="T">The type of a chunk.</typeparam>
/// <param name="Index">The chunk's index in its stream: 0, 1, 2 and so on, the same for every reader for ever.</param>
/// <param name="Data">The chunk.</param>
public readonly record struct StreamItem<T>(long Index, T Data);

/// <summary>Where a stream stands.</summary>
/// <param name="FirstIndex">The first index that can still be read.</param>
/// <param name="NextIndex">The index that the next chunk will get.</param>
/// <param name="IsClosed">Whether the stream has ended.</param>
/// <param name="Outcome">How it ended, when it has.</param>
public sealed record StreamTail(long FirstIndex, long NextIndex, bool IsClosed, Outcome? Outcome);

/// <summary>What a pipe or a writer came to.</summary>
/// <param name="Chunks">How many chunks were acknowledged.</param>
/// <param name="FirstIndex">The index of the first one; null when there was none, or when only the server's memory of it was left.</param>
/// <param name="NextIndex">The index after the last one; null when there was none. Other producers' chunks may lie between.</param>
/// <param name="ProducerId">The name under which they were written; the last one, where the stream had forgotten the producer meanwhile.</param>
public sealed record PipeReceipt(long Chunks, long? FirstIndex, long? NextIndex, string ProducerId);

/// <summary>Why a read stopped.</summary>
public enum ReadEnding
{
    /// <summary>It has not: it was not begun, was left, or failed. Enumerate again to go on.</summary>
    None = 0,

    /// <summary>The stream has ended; <see cref="StreamRead{T}.Outcome"/> says how.</summary>
    Closed = 1,

    /// <summary>Nothing came for <see cref="ReadOptions.Timeout"/>; the stream is still open.</summary>
    TimedOut = 2,
}
