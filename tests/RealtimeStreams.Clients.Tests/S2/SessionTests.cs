using System.Text.Json;
using RealtimeStreams.EndToEnd.Tests;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Clients.Tests.S2;

/// <summary>Append and read sessions, over HTTP/2 with prior knowledge and over fetch.</summary>
public sealed class SessionTests(SharedServer shared, NodePackages node) : S2ScenarioTests(shared, node, "s2/sessions.mjs")
{
    [Theory, MemberData(nameof(EachVersionAndTransport))]
    public async Task A_session_acknowledges_each_batch_in_order(string version, string transport)
    {
        const int batches = 30, size = 7;
        var run = await RegisterAsync();

        var result = await RunAsync("append", new { version, transport, basin = Basin, name = NameOf(run, "log"), batches, size, padding = "" });

        Assert.Equal(
            Enumerable.Range(0, batches).Select(b => ((long)b * size, (long)(b + 1) * size)), result.GetProperty("acks").EnumerateArray().Select(ack => (Range(ack).Start, Range(ack).End)));
        Assert.Equal(batches * size, Range(result.GetProperty("last")).End);
        Assert.Equal(batches * size, result.GetProperty("tail")[0].GetInt32());
        Assert.Equal(
            Enumerable.Range(0, batches * size).Select(i => $"{i / size}:{i % size}"), (await StoredAsync(run, "log")).Select(chunk => JsonSerializer.Deserialize<string>(chunk)));
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task Frames_may_be_compressed_with_gzip(string version) => await CompressedAsync(version, "gzip");

    [Theory, MemberData(nameof(EachVersion))]
    public async Task Frames_may_be_compressed_with_zstd(string version)
    {
        if (Node.Version < new Version(22, 15)) Assert.Skip($"The client needs Node.js 22.15 or newer for zstd, and 'node' is {Node.Version}.");
        await CompressedAsync(version, "zstd");
    }

    [Theory, MemberData(nameof(EachVersionAndTransport))]
    public async Task A_producer_packs_records_and_gives_each_its_number(string version, string transport)
    {
        var run = await RegisterAsync();

        var numbers = await RunAsync("producer", new { version, transport, basin = Basin, name = NameOf(run, "log"), count = 330 });

        Assert.Equal(Enumerable.Range(0, 330).Select(i => (long)i), Numbers(numbers));
        Assert.Equal(Enumerable.Range(0, 330).Select(i => $"{i}"), await StoredAsync(run, "log"));
    }

    [Theory, MemberData(nameof(EachVersionAndTransport))]
    public async Task A_read_session_ends_by_count_bytes_time_or_waiting(string version, string transport)
    {
        var run = await RegisterAsync();
        var name = NameOf(run, "log");
        await Api.AppendAsync(run, "log", string.Concat(Enumerable.Range(0, 10).Select(i => $"{i}\n")), Api.Lines);

        await ReadsAsync(0, 10, new { limits = new { count = 10 } });
        await ReadsAsync(4, 3, new { limits = new { count = 3 } }, new { from = new { seqNum = 4 } });
        await ReadsAsync(8, 2, new { waitSecs = 1 }, new { from = new { tailOffset = 2 } });
        await ReadsAsync(0, 3, new { limits = new { bytes = 27 } });
        await ReadsAsync(0, 0, new { untilTimestamp = 1000 });

        async Task ReadsAsync(int first, int count, object stop, object? start = null)
        {
            var input = new { start = start ?? new { from = new { seqNum = 0 } }, stop };
            var read = Value(await RunAsync("read", new { version, transport, basin = Basin, name, input }));
            Assert.Equal(
                Enumerable.Range(first, count).Select(i => ($"{i}", i)),
                read.GetProperty("records").EnumerateArray().Select(record => (record.GetProperty("body").GetString()!, record.GetProperty("seqNum").GetInt32())));
        }
    }

    [Theory, MemberData(nameof(EachVersionAndTransport))]
    public async Task A_session_reads_bytes(string version, string transport)
    {
        var name = NewName();
        await RunRecordsAsync("append", new { version, basin = Basin, name });

        var read = Value(await RunAsync("read", new { version, transport, basin = Basin, name, @as = "bytes", input = new { start = new { from = new { seqNum = 3 } }, stop = new { limits = new { count = 1 } } } }));

        var record = Assert.Single(read.GetProperty("records").EnumerateArray());
        Assert.Equal(new byte[] { 0, 255, 254, 10 }, record.GetProperty("body").GetProperty("base64").GetBytesFromBase64());
    }

    [Theory, MemberData(nameof(EachVersionAndTransport))]
    public async Task A_session_follows_and_ends_when_the_stream_does(string version, string transport)
    {
        var run = await RegisterAsync();
        await using var reader = Start("follow", new { version, transport, basin = Basin, name = NameOf(run, "log") });
        await Api.AppendAsync(run, "log", "0");
        Assert.Equal(0, (await reader.SaidAsync("read")).GetInt32());
        using (var asked = await Api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/stop", "{}")) Assert.True(asked.IsSuccessStatusCode); // Told in a comment, which clients skip.

        for (var i = 1; i < 4; i++)
        {
            await Api.AppendAsync(run, "log", $"{i}");
            Assert.Equal(i, (await reader.SaidAsync("read")).GetInt32());
        }
        await Api.CompleteAsync(run);

        Assert.Equal(["[0,\"0\"]", "[1,\"1\"]", "[2,\"2\"]", "[3,\"3\"]"], Texts(await reader.ResultAsync()));
    }

    [Theory, MemberData(nameof(EachVersionAndTransport))]
    public async Task A_session_says_at_once_that_it_has_caught_up(string version, string transport)
    {
        var run = await RegisterAsync();
        await Api.AppendAsync(run, "log", "0");
        await using var reader = Start("follow", new { version, transport, basin = Basin, name = NameOf(run, "log"), count = 2 });

        await reader.SaidAsync("read");
        var began = TimeProvider.System.GetTimestamp();
        Assert.Equal(1, (await reader.SaidAsync("caught up"))[0].GetInt32());
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(9)); // The next heartbeat would say it too, after 10.

        await Api.AppendAsync(run, "log", "1");
        Assert.Equal(2, (await reader.ResultAsync()).GetArrayLength());
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task A_read_session_that_is_cut_goes_on_behind_what_it_had(string version)
    {
        var run = await RegisterAsync();
        await using var proxy = new TcpProxy(Server.Port);
        await using var reader = Start("follow", new { version, basin = Basin, name = NameOf(run, "log"), count = 60 }, proxy.Port);
        var read = -1;
        foreach (var end in new[] { 20, 40, 60 })
        {
            await Api.AppendAsync(run, "log", string.Concat(Enumerable.Range(end - 20, 20).Select(i => $"{i}\n")), Api.Lines);
            while (read < end - 1) read = (await reader.SaidAsync("read")).GetInt32();
            if (end < 60) Assert.True(proxy.CutAll() > 0);
        }

        Assert.Equal(Enumerable.Range(0, 60).Select(i => $"[{i},\"{i}\"]"), Texts(await reader.ResultAsync()));
        Assert.InRange(proxy.Cuts, 2, 20);
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task An_append_session_that_is_cut_goes_on(string version)
    {
        const int batches = 12, size = 5;
        var run = await RegisterAsync();
        await using var proxy = new TcpProxy(Server.Port);
        await using var writer = Start("marked", new { version, basin = Basin, name = NameOf(run, "log"), batches, size, marks = new[] { 4, 8 } }, proxy.Port);
        foreach (var mark in new[] { 4, 8 })
        {
            Assert.Equal(mark, (await writer.SaidAsync("mark")).GetInt32());
            Assert.True(proxy.CutAll() > 0);
            writer.Tell();
        }

        var result = await writer.ResultAsync();
        Value(result.GetProperty("closed"));
        Assert.Equal(
            Enumerable.Range(0, batches).Select(b => (long)(b + 1) * size), result.GetProperty("acks").EnumerateArray().Select(ack => Range(Value(ack)).End));
        Assert.Equal(batches * size, (await StoredAsync(run, "log")).Count);
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task A_conditional_batch_whose_acknowledgement_is_lost_is_not_stored_twice(string version)
    {
        const int batches = 4, size = 5;
        var run = await RegisterAsync();
        await using var proxy = new TcpProxy(Server.Port);
        await using var writer = Start("marked", new { version, basin = Basin, name = NameOf(run, "log"), batches, size, marks = new[] { 2 }, conditional = true }, proxy.Port);
        await writer.SaidAsync("mark");
        proxy.SwallowNextAnswer();
        writer.Tell();

        var result = await writer.ResultAsync();

        Assert.Equal(1, proxy.Swallowed);
        var stored = (await StoredAsync(run, "log")).Select(chunk => JsonSerializer.Deserialize<string>(chunk)).ToList();
        Assert.Equal(stored.Distinct(), stored);
        // Either the swallowed bytes came before the batch was stored, and it went again; or it was, and the repeat's condition failed.
        var last = result.GetProperty("acks").EnumerateArray().Last();
        if (last.TryGetProperty("value", out _)) Assert.Equal(batches * size, stored.Count);
        else AssertMismatch(last, 15);

        static void AssertMismatch(JsonElement outcome, int expected)
        {
            Assert.Equal("SeqNumMismatchError", outcome.GetProperty("kind").GetString());
            Assert.Equal(expected, outcome.GetProperty("expectedSeqNum").GetInt32());
        }
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task What_fails_in_a_session_is_told_behind_what_was_stored(string version)
    {
        var result = await RunAsync("refused", new { version, basin = Basin, name = NewName() });

        var number = Value(result.GetProperty("number"));
        Assert.Equal((1, 2, 2), Range(number.GetProperty("first")));
        AssertError(number.GetProperty("second"), 412, kind: "SeqNumMismatchError");
        Assert.Equal(2, number.GetProperty("second").GetProperty("expectedSeqNum").GetInt32());
        var token = Value(result.GetProperty("token"));
        AssertError(token.GetProperty("second"), 412, kind: "FencingTokenMismatchError");
        Assert.Equal("alice", token.GetProperty("second").GetProperty("expectedFencingToken").GetString());
        AssertError(result.GetProperty("beyond"), 416, kind: "RangeNotSatisfiableError");
        Assert.Equal(3, result.GetProperty("tail")[0].GetInt32());
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task Sessions_interleave_whole_batches_and_keep_their_order(string version)
    {
        const int sessions = 5, batches = 20;

        var bodies = Strings(await RunAsync("together", new { version, basin = Basin, name = NewName(), sessions, batches }));

        Assert.Equal(sessions * batches * 2, bodies.Length);
        for (var i = 0; i < bodies.Length; i += 2) Assert.Equal(bodies[i] + "+", bodies[i + 1]);
        for (var s = 0; s < sessions; s++)
            Assert.Equal(Enumerable.Range(0, batches).Select(b => $"{s}:{b}"), bodies.Where((body, i) => i % 2 == 0 && body.StartsWith($"{s}:", StringComparison.Ordinal)));
    }

    private async Task CompressedAsync(string version, string compression)
    {
        var name = NewName();

        var result = await RunAsync("append", new { version, compression, basin = Basin, name, batches = 3, size = 20, padding = new string('p', 500) });
        Assert.Equal(60, result.GetProperty("tail")[0].GetInt32());

        var read = Value(await RunAsync("read", new { version, compression, basin = Basin, name, input = new { start = new { from = new { seqNum = 0 } }, stop = new { limits = new { count = 60 } } } }));
        Assert.Equal(
            Enumerable.Range(0, 60).Select(i => new string('p', 500) + $"{i / 20}:{i % 20}"),
            read.GetProperty("records").EnumerateArray().Select(record => record.GetProperty("body").GetString()));
    }

    private async Task RunRecordsAsync(string name, object parameters)
    {
        await using var scenario = Scenario.Start("s2/records.mjs", name, JsonSerializer.SerializeToNode(parameters)!, Settings(Server));
        await scenario.ResultAsync();
    }
}
