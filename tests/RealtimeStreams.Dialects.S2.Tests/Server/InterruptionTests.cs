using RealtimeStreams.Testing;

namespace RealtimeStreams.Dialects.S2.Tests.Server;

/// <summary>Servers and brokers of their own, which are stopped under their clients.</summary>
public sealed class InterruptionTests
{
    [Fact]
    public async Task A_server_that_stops_tells_its_sessions_to_come_back_and_has_all_that_it_acknowledged()
    {
        await using var server = await ServerProcess.StartAsync(cancellationToken: S2Caller.Cancellation);
        using var caller = new S2Caller(server, server.SecretKey, http2: true);
        await using var append = await caller.OpenAppendAsync("s");
        await append.AppendAsync("kept");
        await append.AckAsync();
        await using var read = await caller.OpenReadAsync("s", "?seq_num=0");
        Assert.Equal(["kept"], (await read.BatchAsync()).Bodies);
        await read.BatchAsync();
        using var events = await caller.OpenEventsAsync("s", "?tail_offset=0");

        var stopping = server.StopAsync(S2Caller.Cancellation);
        var ofAppend = await append.TerminalAsync();
        var ofRead = await read.TerminalAsync();
        var ofEvents = await events.Content.ReadAsStringAsync(S2Caller.Cancellation);
        await stopping;
        await server.StartAgainAsync(S2Caller.Cancellation);

        Assert.Equal((503, "unavailable"), (ofAppend.Status, ofAppend.Code));
        Assert.Equal((503, "unavailable"), (ofRead.Status, ofRead.Code));
        Assert.Contains("event: error\ndata: {\"code\":\"unavailable\"", ofEvents, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", ofEvents, StringComparison.Ordinal);
        using var again = new S2Caller(server, server.SecretKey, http2: true);
        Assert.Equal(["kept"], await again.BodiesAsync("s"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reader_that_does_not_read_does_not_hold_up_the_stop(bool frames)
    {
        await using var server = await ServerProcess.StartAsync(cancellationToken: S2Caller.Cancellation);
        using var caller = new S2Caller(server, server.SecretKey, http2: true);
        for (var i = 0; i < 40; i++) await caller.AppendTextAsync("s", new string('x', 1_000_000)); // More than all windows on the way hold.
        using var stuck = frames ? null : await caller.OpenEventsAsync("s", "?seq_num=0");
        await using var session = frames ? await caller.OpenReadAsync("s", "?seq_num=0") : null;

        // Not the 30 seconds after which a host gives up on connections.
        await server.StopAsync(S2Caller.Cancellation).WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, S2Caller.Cancellation);
    }

    [Fact]
    public async Task A_writer_that_does_not_read_its_acks_does_not_hold_up_the_stop()
    {
        await using var server = await ServerProcess.StartAsync(cancellationToken: S2Caller.Cancellation);
        using var caller = new S2Caller(server, server.SecretKey, http2: true);
        await using var session = await caller.OpenAppendAsync("s");
        // An ack has some 40 bytes, and the window 64 KiB.
        await session.SendAsync([.. Enumerable.Repeat(Session.Framed(Session.Input("one").Bytes), 4000).SelectMany(bytes => bytes)]);
        session.End();
        await caller.WaitForStallAsync("s", 4000);

        // Not the 30 seconds after which a host gives up on connections.
        await server.StopAsync(S2Caller.Cancellation).WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, S2Caller.Cancellation);
    }

    [Fact]
    public async Task A_log_that_does_not_answer_is_a_503_and_what_was_acknowledged_is_there_when_it_is_back()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: S2Caller.Cancellation);
        await using var server = await ServerProcess.StartAsync(
            new ServerProcessOptions { Nats = broker.Url, Settings = new Dictionary<string, string> { ["RealtimeStreams__ConfirmTimeout"] = "00:00:02" } },
            S2Caller.Cancellation);
        using var caller = new S2Caller(server, server.SecretKey, http2: true);
        await using var session = await caller.OpenAppendAsync("s");
        await session.AppendAsync("kept");
        await session.AckAsync();

        broker.Kill();
        await session.AppendAsync("unknown");
        var (status, code, _) = await session.TerminalAsync();
        var unary = await caller.AppendAsync("s", """{"records":[{"body":"unknown"}]}""");
        var tail = await caller.GetAsync(S2Caller.Records("s", "/tail"));
        await broker.StartAgainAsync(S2Caller.Cancellation);

        Assert.Equal((503, "unavailable"), (status, code));
        Assert.Equal((503, "unavailable"), unary.Error);
        Assert.Equal((503, "unavailable"), tail.Error);
        var bodies = new List<string>();
        await Until.TrueAsync(() => "The stream could not be read again.", async () =>
        {
            var answer = await caller.GetAsync(S2Caller.Records("s", "?seq_num=0"));
            if (answer.Status != 200) return false;
            bodies.AddRange(answer.Json.GetProperty("records").EnumerateArray().Select(record => record.GetProperty("body").GetString()!));
            return true;
        });
        Assert.Equal("kept", bodies[0]);
        Assert.All(bodies.Skip(1), body => Assert.Equal("unknown", body));
    }

    [Fact]
    public async Task A_connection_that_is_cut_is_the_end_of_its_sessions_only()
    {
        await using var server = await ServerProcess.StartAsync(cancellationToken: S2Caller.Cancellation);
        await using var proxy = new TcpProxy(server.Port);
        using var behind = new S2Caller(server, server.SecretKey, http2: true, proxy.Port);
        using var direct = new S2Caller(server, server.SecretKey, http2: true);
        await using var cut = await behind.OpenAppendAsync("s");
        await cut.AppendAsync("before");
        await cut.AckAsync();
        await using var reader = await direct.OpenReadAsync("s", "?seq_num=0");
        Assert.Equal(["before"], (await reader.BatchAsync()).Bodies);
        await reader.BatchAsync();

        Assert.Equal(1, proxy.CutAll());
        await Assert.ThrowsAnyAsync<Exception>(cut.NextAsync);
        await using var again = await behind.OpenAppendAsync("s");
        await again.AppendAsync("after");

        Assert.Equal((1UL, 2UL, 2UL), await again.AckAsync());
        Assert.Equal(["after"], (await reader.BatchAsync()).Bodies);
        Assert.DoesNotContain(server.Log, line => line.Contains("fail:", StringComparison.Ordinal));
    }
}
