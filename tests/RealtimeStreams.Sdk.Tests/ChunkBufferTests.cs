using System.Text;
using CsCheck;
using RealtimeStreams.Sdk.Writing;

namespace RealtimeStreams.Sdk.Tests;

public sealed class ChunkBufferTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_buffer_makes_the_writer_wait_until_chunks_are_released()
    {
        var buffer = new ChunkBuffer(maxBytes: 1000, maxChunks: 2);
        await buffer.AddAsync("1"u8.ToArray(), Cancelled);
        await buffer.AddAsync("2"u8.ToArray(), Cancelled);
        var third = buffer.AddAsync("3"u8.ToArray(), Cancelled).AsTask();
        Assert.False(third.IsCompleted);

        buffer.Release(1, reusable: true);
        await third;

        Assert.Equal("2\n3\n", Text(buffer));
    }

    [Fact]
    public async Task Bytes_are_bounded_as_well()
    {
        var buffer = new ChunkBuffer(maxBytes: 10, maxChunks: 100);
        await buffer.AddAsync("12345"u8.ToArray(), Cancelled);
        var second = buffer.AddAsync("12345"u8.ToArray(), Cancelled).AsTask();

        Assert.False(second.IsCompleted);
        buffer.Release(1, reusable: true);
        await second;
    }

    [Fact]
    public async Task A_chunk_larger_than_the_buffer_goes_alone()
    {
        var buffer = new ChunkBuffer(maxBytes: 10, maxChunks: 100);
        await buffer.AddAsync(new byte[100_000], Cancelled);
        var next = buffer.AddAsync("1"u8.ToArray(), Cancelled).AsTask();

        Assert.False(next.IsCompleted);
        Assert.Equal(100_001, buffer.Peek().Lines.Sum(part => part.Length));
    }

    [Fact]
    public async Task A_failure_wakes_the_writer_that_waits()
    {
        var buffer = new ChunkBuffer(maxBytes: 10, maxChunks: 1);
        await buffer.AddAsync("1"u8.ToArray(), Cancelled);
        var second = buffer.AddAsync("2"u8.ToArray(), Cancelled).AsTask();

        buffer.Fail(new RealtimeStreamsException("fenced"));

        await Assert.ThrowsAsync<RealtimeStreamsException>(() => second);
    }

    [Fact]
    public async Task The_end_comes_after_all_chunks()
    {
        var buffer = new ChunkBuffer(maxBytes: 10, maxChunks: 10);
        await buffer.AddAsync("1"u8.ToArray(), Cancelled);
        buffer.Complete();

        Assert.True(await buffer.WaitAsync(Cancelled));
        buffer.Release(1, reusable: true);
        Assert.False(await buffer.WaitAsync(Cancelled));
    }

    [Fact]
    public void Whatever_is_added_and_released_the_rest_lies_there_in_order() =>
        Gen.Select(Gen.Int[0, 20_000], Gen.Int[0, 5], Gen.Bool).Array[1, 60].Sample(
            steps =>
            {
                var buffer = new ChunkBuffer(maxBytes: int.MaxValue, maxChunks: int.MaxValue);
                var expected = new List<string>();
                foreach (var (length, release, reusable) in steps)
                {
                    var chunk = new string((char)('a' + (length % 26)), length);
                    Assert.True(buffer.AddAsync(Encoding.UTF8.GetBytes(chunk), CancellationToken.None).AsTask().IsCompletedSuccessfully);
                    expected.Add(chunk + "\n");
                    var count = Math.Min(release, expected.Count);
                    buffer.Release(count, reusable);
                    expected.RemoveRange(0, count);
                    Assert.Equal(string.Concat(expected), Text(buffer));
                    Assert.Equal(expected.Count, buffer.Peek().Count);
                    var (few, lines) = buffer.Peek(length);
                    Assert.Equal(string.Concat(expected.Take(few)), string.Concat(lines.Select(part => Encoding.UTF8.GetString(part.Span))));
                    Assert.True(few <= 1 || lines.Sum(part => part.Length) <= length);
                    Assert.True(few > 0 || expected.Count == 0);
                }
            },
            iter: 200);

    private static string Text(ChunkBuffer buffer) =>
        string.Concat(buffer.Peek().Lines.Select(part => Encoding.UTF8.GetString(part.Span)));
}
