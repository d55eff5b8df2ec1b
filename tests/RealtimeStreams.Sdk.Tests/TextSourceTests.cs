using System.Text;
using RealtimeStreams.Sdk.Writing;

namespace RealtimeStreams.Sdk.Tests;

public sealed class TextSourceTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_character_is_never_split_in_two()
    {
        var text = "x" + string.Concat(Enumerable.Repeat("😀", 10_000));
        var chunks = await TextSource.ReadAsync(new StringReader(text), Cancelled).ToListAsync(Cancelled);

        Assert.True(chunks.Count > 1);
        Assert.All(chunks, chunk => Assert.False(char.IsHighSurrogate(chunk[^1]) || char.IsLowSurrogate(chunk[0])));
        Assert.Equal(text, string.Concat(chunks));
    }

    [Fact]
    public async Task Bytes_are_read_as_utf8_without_their_byte_order_mark()
    {
        using var bytes = new MemoryStream([0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes("héllo")]);
        Assert.Equal(["héllo"], await TextSource.ReadAsync(bytes, Cancelled).ToListAsync(Cancelled));
        Assert.True(bytes.CanRead);
    }

    [Fact]
    public async Task Half_a_character_at_the_end_is_given_as_it_is() =>
        Assert.Equal("a\uD83D", string.Concat(await TextSource.ReadAsync(new StringReader("a\uD83D"), Cancelled).ToListAsync(Cancelled)));
}
