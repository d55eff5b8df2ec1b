using System.Text;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Tests.Faults;

/// <summary>A reader that follows a stream from its first chunk to its end, whatever happens to the broker meanwhile.</summary>
internal static class Follower
{
    public static async Task<List<string>> FollowAsync(IStreamTail tail, LogNode node, StreamAddress stream)
    {
        var chunks = new List<string>();
        var cursor = ChunkIndex.Zero;
        LogRecord? last = null;
        while (true)
        {
            foreach (var record in await NextAsync())
            {
                Assert.True(record.FirstIndex <= cursor, $"A hole: {cursor} was next, {record.FirstIndex} came.");
                for (var i = (int)(cursor.Value - record.FirstIndex.Value); i < record.Count; i++) chunks.Add(Encoding.UTF8.GetString(record.Chunk(i).Span));
                if (record.NextIndex > cursor) cursor = record.NextIndex;
                last = record;
            }
            Assert.False(tail.Erased, "The stream is said to be erased.");
            if (tail.End is not null && cursor >= tail.NextIndex) return chunks;
            if (cursor >= tail.NextIndex) await tail.WaitAsync(cursor, TimeSpan.FromMinutes(1), CancellationToken.None);
        }

        async Task<IReadOnlyList<LogRecord>> NextAsync()
        {
            if (tail.Find(cursor) is { } record) return [record];
            try
            {
                return cursor < tail.NextIndex ? await node.Log.ReadStoredAsync(stream, cursor, last, CancellationToken.None) : [];
            }
            catch (LogUnavailableException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
                return [];
            }
        }
    }
}
