using System.Buffers;
using System.Text;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Http.Tests;

public sealed class SseWriterTests
{
    [Fact]
    public void A_chunk_is_an_event_with_its_index_as_id() =>
        Assert.Equal("id: 1234567890123\ndata: {\"a\":1}\n\n", Written(sse => sse.WriteChunk(new ChunkIndex(1234567890123), "{\"a\":1}"u8)));

    [Theory]
    [InlineData(0)]
    [InlineData(long.MaxValue)]
    public void Every_index_fits(long index) =>
        Assert.StartsWith($"id: {index}\n", Written(sse => sse.WriteChunk(new ChunkIndex(index), "1"u8)), StringComparison.Ordinal);

    [Fact]
    public void A_named_event_has_no_id() =>
        Assert.Equal("event: end\ndata: {}\n\n", Written(sse => sse.WriteEvent("end"u8, "{}"u8)));

    [Fact]
    public void A_comment_and_a_retry_are_events_without_data()
    {
        Assert.Equal(": heartbeat\n\n", Written(sse => sse.WriteComment("heartbeat"u8)));
        Assert.Equal("retry: 1000\n\n", Written(sse => sse.WriteRetry(TimeSpan.FromSeconds(1))));
    }

    [Fact]
    public void Writing_allocates_nothing()
    {
        var output = new ArrayBufferWriter<byte>(64 * 1024);
        var chunk = Encoding.UTF8.GetBytes("{\"step\":\"write\",\"percent\":42}");
        Write();
        output.ResetWrittenCount();

        var before = GC.GetAllocatedBytesForCurrentThread();
        Write();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Write()
        {
            var sse = new SseWriter(output);
            for (var i = 0; i < 100; i++)
            {
                sse.WriteChunk(new ChunkIndex(i), chunk);
                sse.WriteEvent("caught-up"u8, chunk);
                sse.WriteComment("heartbeat"u8);
            }
        }
    }

    private static string Written(Action<SseWriter> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(new SseWriter(output));
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
