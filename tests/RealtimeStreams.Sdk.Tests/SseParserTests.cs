using System.Text;
using RealtimeStreams.Sdk.Reading;

namespace RealtimeStreams.Sdk.Tests;

public sealed class SseParserTests
{
    private const string Text =
        "\uFEFFretry: 1000\n: heartbeat\n\nid: 0\ndata: {\"a\":\"é😀\"}\n\nevent: caught-up\r\ndata: {\"nextIndex\":1}\r\n\r\n" +
        "id:1\rdata:one\rdata: two\r\r: heartbeat\nid: x\nevent: new\nunknown\ndata\n\nevent: end\ndata: {}\n\nid: 7\ndata: cut";

    private static readonly string[] Expected =
    [
        "Chunk 0 {\"a\":\"é😀\"}", "CaughtUp  {\"nextIndex\":1}", "Chunk 1 one\ntwo", "Unknown  ", "End  {}",
    ];

    [Fact]
    public void Bytes_may_be_split_anywhere()
    {
        var bytes = Encoding.UTF8.GetBytes(Text);
        for (var first = 0; first <= bytes.Length; first++)
        {
            for (var second = first; second <= bytes.Length; second++)
                Assert.Equal(Expected, Read(bytes[..first], bytes[first..second], bytes[second..]));
        }
    }

    [Fact]
    public void Bytes_may_come_one_by_one() =>
        Assert.Equal(Expected, Read([.. Encoding.UTF8.GetBytes(Text).Select(single => new[] { single })]));

    [Fact]
    public void A_part_of_an_event_is_forgotten_with_its_connection()
    {
        var parser = new SseParser();
        parser.Read("id: 3\ndata: ha"u8, out _);
        parser.Reset();

        Assert.True(parser.Read("id: 4\ndata: whole\n\n"u8, out _));
        Assert.Equal(4, parser.Id);
        Assert.Equal("whole", Encoding.UTF8.GetString(parser.Data));
    }

    [Fact]
    public void An_event_without_end_is_refused() =>
        Assert.Throws<InvalidDataException>(() =>
        {
            var parser = new SseParser();
            var piece = new byte[1024 * 1024];
            for (var i = 0; i < 20; i++) parser.Read(piece, out _);
        });

    [Fact]
    public void An_event_costs_no_memory()
    {
        var parser = new SseParser();
        var input = "id: 12\ndata: {\"text\":\"hello\"}\n\n"u8.ToArray();
        parser.Read(input, out _);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) parser.Read(input, out _);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static List<string> Read(params byte[][] pieces)
    {
        var parser = new SseParser();
        var events = new List<string>();
        foreach (var piece in pieces)
        {
            var rest = piece.AsSpan();
            while (parser.Read(rest, out var consumed))
            {
                events.Add($"{parser.Kind} {parser.Id} {Encoding.UTF8.GetString(parser.Data)}");
                rest = rest[consumed..];
            }
        }
        return events;
    }
}
