using System.Text.Json;
using RealtimeStreams.EndToEnd.Tests;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Clients.Tests.Trigger;

/// <summary>streams.input(): what is sent to a run arrives there, once and in order.</summary>
public sealed class InputStreamTests(SharedServer shared, NodePackages node) : ScenarioTests(shared, node, "trigger/inputs.mjs")
{
    [Fact]
    public async Task What_is_sent_is_heard_by_the_run_as_it_was()
    {
        var run = await RegisterAsync();
        object?[] values = [new { stop = true }, "text", """{"looks":"like JSON"}""", 17, null, new[] { 1, 2 }];

        await RunAsync("send", new { run, values });
        await using var listener = Start("on", new { run, count = values.Length });

        var heard = Texts(await listener.ResultAsync());
        Assert.Equal(["""{"stop":true}""", "\"text\"", "\"{\\\"looks\\\":\\\"like JSON\\\"}\"", "17", "null", "[1,2]"], heard);
        Assert.Equal(
            ["""{"stop":true}""", "\"text\"", "\"{\\\"looks\\\":\\\"like JSON\\\"}\"", "17", "null", "[1,2]"],
            await StoredAsync(run, "$input:commands"));
    }

    [Fact]
    public async Task A_listener_hears_live_and_goes_on_after_a_cut()
    {
        var run = await RegisterAsync();
        await using var proxy = new TcpProxy(Server.Port);
        await using var listener = Start("on", new { run, count = 3 }, proxy.Port);
        await listener.SaidAsync("listening");

        await RunAsync("send", new { run, values = new[] { "a" } });
        await listener.SaidAsync("heard");
        Assert.True(proxy.CutAll() > 0);
        await RunAsync("send", new { run, values = new[] { "b", "c" } });

        Assert.Equal(["\"a\"", "\"b\"", "\"c\""], Texts(await listener.ResultAsync()));
    }

    [Fact]
    public async Task Once_gets_the_first_or_a_timeout()
    {
        var run = await RegisterAsync();
        await RunAsync("send", new { run, values = new[] { "first", "second" } });

        var got = await RunAsync("once", new { run, timeoutMs = 10_000 });
        Assert.Equal((true, "first"), (got.GetProperty("ok").GetBoolean(), got.GetProperty("output").GetString()));

        var nothing = await RunAsync("once", new { run = await RegisterAsync(), timeoutMs = 500 });
        Assert.False(nothing.GetProperty("ok").GetBoolean());
        Assert.Equal("InputStreamTimeoutError", nothing.GetProperty("error").GetString());
    }

    [Fact]
    public async Task What_each_dialect_sends_the_others_read_at_the_same_indexes()
    {
        var run = await RegisterAsync();
        using var client = new RealtimeStreamsClient(new RealtimeStreamsClientOptions { BaseAddress = Server.Address, SecretKey = Server.SecretKey });
        var commands = RealtimeStream.DefineInput<JsonElement>("commands");
        await using var listener = Start("on", new { run, count = 6 });
        await listener.SaidAsync("listening");

        for (var round = 0; round < 2; round++)
        {
            await RunAsync("send", new { run, values = new[] { new { by = "trigger", round } } });
            var native = await Api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/inputs/commands", $$"""{"by":"native","round":{{round}}}""");
            Assert.Equal((3 * round) + 1, (await Api.ReadAsync(native, NativeJson.Default.AppendReceipt)).FirstIndex);
            var sent = await client.Runs.SendInputAsync(run, commands, JsonElement.Parse($$"""{"by":"C#","round":{{round}}}"""), cancellationToken: Cancelled);
            Assert.Equal((3 * round) + 2, sent.FirstIndex);
        }

        string[] expected = [.. from round in (int[])[0, 1] from who in (string[])["trigger", "native", "C#"] select $$"""{"by":"{{who}}","round":{{round}}}"""];
        Assert.Equal(expected, Texts(await listener.ResultAsync()));
        Assert.Equal(expected, await StoredAsync(run, "$input:commands"));
        List<string> read = [];
        await foreach (var (index, value) in client.Streams.ReadAsync(commands, run, new ReadOptions { Timeout = TimeSpan.FromSeconds(1) }, Cancelled).Items)
        {
            Assert.Equal(read.Count, index);
            read.Add(value.GetRawText());
        }
        Assert.Equal(expected, read);
    }

    [Fact]
    public async Task An_output_stream_of_the_same_name_is_another_stream()
    {
        var run = await RegisterAsync();

        Assert.Equal(["\"out\""], Texts(await RunAsync("sameName", new { run })));
        Assert.Equal(["\"out\""], await StoredAsync(run, "commands"));
        Assert.Equal(["\"in\""], await StoredAsync(run, "$input:commands"));
    }

    [Fact]
    public async Task A_listener_in_a_v1_run_is_refused_by_the_client() =>
        Assert.Contains(
            "require v2", (await RunAsync("onV1", new { run = await RegisterAsync(StreamsVersion.V1) })).GetProperty("error").GetString(), StringComparison.Ordinal);
}
