using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using ZstdSharp;

namespace RealtimeStreams.Dialects.S2.Tests.Server;

public sealed class AppendSessionTests(S2Server server) : IDisposable
{
    private readonly S2Caller caller = server.NewCaller();
    private readonly string name = S2Caller.NewName();

    [Fact]
    public async Task Each_input_is_acknowledged_in_order_and_the_end_is_quiet()
    {
        await using var session = await caller.OpenAppendAsync(name);
        for (var i = 0; i < 20; i++) await session.AppendAsync($"a{i}", $"b{i}");
        for (var i = 0UL; i < 20; i++) Assert.Equal((2 * i, 2 * i + 2, 2 * i + 2), await session.AckAsync());
        await session.AppendAsync("last");
        Assert.Equal((40UL, 41UL, 41UL), await session.AckAsync());

        session.End();

        Assert.Null(await session.NextAsync());
        Assert.Equal([.. Enumerable.Range(0, 20).SelectMany(i => (string[])[$"a{i}", $"b{i}"]), "last"], await caller.BodiesAsync(name));
    }

    [Fact]
    public async Task Frames_may_come_in_any_pieces()
    {
        await using var session = await caller.OpenAppendAsync(name);
        var bytes = Session.Framed(Session.Input("one", "two").Bytes).Concat(Session.Framed(Session.Input("three").Bytes)).ToArray();

        foreach (var one in bytes) await session.SendAsync([one]);

        Assert.Equal((0UL, 2UL, 2UL), await session.AckAsync());
        Assert.Equal((2UL, 3UL, 3UL), await session.AckAsync());
        Assert.Equal(["one", "two", "three"], await caller.BodiesAsync(name));
    }

    [Theory]
    [InlineData(0x40)]
    [InlineData(0x20)]
    public async Task Compressed_frames_are_taken(byte flags)
    {
        await using var session = await caller.OpenAppendAsync(name);
        var text = string.Concat(Enumerable.Repeat("compress me ", 1000));

        await session.SendAsync(Session.Framed(Compress(Session.Input(text).Bytes, flags), flags));

        Assert.Equal((0UL, 1UL, 1UL), await session.AckAsync());
        Assert.Equal([text], await caller.BodiesAsync(name));
    }

    [Fact]
    public async Task A_batch_of_a_mebibyte_is_taken()
    {
        await using var session = await caller.OpenAppendAsync(name);
        await session.AppendAsync(new Message().Field(1, new Message().Field(3, new byte[1024 * 1024 - 8])));

        Assert.Equal((0UL, 1UL, 1UL), await session.AckAsync());
        await using var read = await caller.OpenReadAsync(name, "?seq_num=0&count=1");
        Assert.Equal(1024 * 1024 - 8, Assert.Single((await read.BatchAsync()).Records).Body.Length);
    }

    [Fact]
    public async Task What_was_accepted_is_acknowledged_before_the_error_and_nothing_behind_it_is_stored()
    {
        await using var session = await caller.OpenAppendAsync(name);
        await session.SendAsync(
        [
            .. Session.Framed(Session.Input("good").Bytes),
            .. Session.Framed(Session.Input("refused").Number(2, 99).Bytes),
            .. Session.Framed(Session.Input("behind").Bytes),
            .. Session.Framed(Session.Input("behind too").Bytes),
        ]);

        Assert.Equal((0UL, 1UL, 1UL), await session.AckAsync());
        Assert.Equal((412, null, """{"seq_num_mismatch":1}"""), await session.TerminalAsync());
        Assert.Equal(["good"], await caller.BodiesAsync(name));
    }

    public static TheoryData<string, byte[], string> Faults => new()
    {
        { "length 0", [0, 0, 0, 0], "bad_frame" },
        { "too long", [0x20, 0, 1, 0], "bad_frame" },
        { "terminal", [0, 0, 3, 0x80, 1, 0x90], "bad_frame" },
        { "compression 11", [0, 0, 2, 0x60, 0], "bad_frame" },
        { "not gzip", Session.Framed([1, 2, 3, 4, 5], 0x40), "bad_frame" },
        { "not zstd", Session.Framed([1, 2, 3, 4, 5], 0x20), "bad_frame" },
        { "gzip as zstd", Session.Framed(Compress(new byte[2000], 0x40), 0x20), "bad_frame" },
        { "gzip bomb", Session.Framed(Compress(new byte[50_000_000], 0x40), 0x40), "bad_frame" },
        { "zstd bomb", Session.Framed(Compress(new byte[50_000_000], 0x20), 0x20), "bad_frame" },
        { "no protobuf", Session.Framed([0xFF, 0xFF, 0xFF]), "bad_proto" },
        { "no records", Session.Framed([]), "invalid" },
        { "a text", Encoding.UTF8.GetBytes("{\"records\":[]}"), "bad_frame" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_malformed_frame_ends_its_session_with_a_clear_error_and_no_other(string fault, byte[] bytes, string code)
    {
        await using var neighbour = await caller.OpenAppendAsync($"{name}-neighbour"); // On the same connection.
        await using var reader = await caller.OpenReadAsync($"{name}-neighbour", "?tail_offset=0");
        Assert.Equal(0UL, (await reader.BatchAsync()).Tail);
        await using var session = await caller.OpenAppendAsync(name);
        await session.AppendAsync("good");
        Assert.Equal((0UL, 1UL, 1UL), await session.AckAsync());

        await session.SendAsync(bytes);

        var (status, found, text) = await session.TerminalAsync();
        Assert.True((status, found) == (code == "invalid" ? 422 : 400, code), $"{fault}: {status} {text}");
        Assert.Equal(["good"], await caller.BodiesAsync(name));
        await neighbour.AppendAsync("unharmed");
        Assert.Equal((0UL, 1UL, 1UL), await neighbour.AckAsync());
        Assert.Equal(["unharmed"], (await reader.BatchAsync()).Bodies);
    }

    [Fact]
    public async Task A_body_that_ends_within_a_frame_is_an_error_behind_what_was_whole()
    {
        await using var session = await caller.OpenAppendAsync(name);
        await session.SendAsync([.. Session.Framed(Session.Input("whole").Bytes), .. Session.Framed(Session.Input("half").Bytes)[..7]]);
        session.End();

        Assert.Equal((0UL, 1UL, 1UL), await session.AckAsync());
        Assert.Equal((400, "bad_frame"), await session.TerminalAsync() is var (status, code, _) ? (status, code) : default);
        Assert.Equal(["whole"], await caller.BodiesAsync(name));
    }

    [Fact]
    public async Task A_session_without_inputs_ends_quietly()
    {
        await using var session = await caller.OpenAppendAsync(name);
        session.End();

        Assert.Equal(200, session.Status);
        Assert.Null(await session.NextAsync());
    }

    [Fact]
    public async Task A_session_that_is_cut_keeps_what_was_acknowledged_and_harms_no_other()
    {
        await using var neighbour = await caller.OpenAppendAsync($"{name}-neighbour");
        var cut = await caller.OpenAppendAsync(name);
        await cut.AppendAsync("kept");
        await cut.AckAsync();
        await cut.SendAsync([0, 1]);

        await cut.DisposeAsync();

        await neighbour.AppendAsync("unharmed");
        Assert.Equal((0UL, 1UL, 1UL), await neighbour.AckAsync());
        Assert.Equal(["kept"], await caller.BodiesAsync(name));
    }

    [Fact]
    public async Task Fences_and_trims_work_in_sessions()
    {
        await using var session = await caller.OpenAppendAsync(name);
        await session.AppendAsync("a", "b");
        await session.AppendAsync(Command("fence", "alice"u8.ToArray()));
        await session.AppendAsync(Session.Input("c").Field(3, "alice"u8.ToArray()));
        var trim = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(trim, 1);
        await session.AppendAsync(Command("trim", trim));
        for (var i = 0; i < 4; i++) await session.AckAsync();
        await session.AppendAsync(Session.Input("d").Field(3, "bob"u8.ToArray()));

        Assert.Equal((412, null, """{"fencing_token_mismatch":"alice"}"""), await session.TerminalAsync());
        Assert.Equal(["b", "alice", "c"], (await caller.BodiesAsync(name)).Take(3));
    }

    [Fact]
    public async Task A_hundred_sessions_share_a_connection()
    {
        var sessions = new List<Session>();
        for (var i = 0; i < 100; i++) sessions.Add(await caller.OpenAppendAsync($"{name}-{i}"));
        foreach (var session in sessions) await session.AppendAsync("one");

        foreach (var session in sessions) Assert.Equal((0UL, 1UL, 1UL), await session.AckAsync());
        foreach (var session in sessions) await session.DisposeAsync();
    }

    public void Dispose() => caller.Dispose();

    private static Message Command(string command, byte[] body) =>
        new Message().Field(1, new Message().Field(2, new Message().Field(2, Encoding.UTF8.GetBytes(command))).Field(3, body));

    private static byte[] Compress(byte[] bytes, byte flags)
    {
        if (flags == 0x20)
        {
            using var zstd = new Compressor();
            return zstd.Wrap(bytes).ToArray();
        }
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest)) gzip.Write(bytes);
        return output.ToArray();
    }
}
