using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>A server of its own, with the embedded broker, as a person starts it.</summary>
public sealed class ShutdownTests
{
    [Fact]
    public async Task A_server_that_stops_sends_its_readers_and_workers_away_stores_open_bodies_and_has_everything_when_it_is_back()
    {
        await using var server = await ServerProcess.StartAsync(cancellationToken: Api.Cancellation);
        using var api = new Api(server.CreateClient());
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "1\n2\n", Api.Lines);
        using var reader = await api.OpenSseAsync(run, "s");
        await reader.UntilAsync(NativeEvents.CaughtUp);
        await using var body = await RawRequest.PostLinesAsync(server, Api.StreamPath(run, "s"), Api.Producer("p", 0));
        await body.WriteChunkAsync("3\n\"unfinished");
        Assert.Equal("3", (await reader.NextAsync())!.Data);
        var claim = api.SendAsync(HttpMethod.Post, "/api/v1/runs/claim", """{"tasks":["t"],"worker":"w","waitInSeconds":30}""");
        await api.HeadAsync(run, "s"); // By then it waits.

        var stopping = server.StopAsync(Api.Cancellation);
        var last = await reader.RestAsync();
        var notClaimed = await Api.ReadProblemAsync(await claim);
        await stopping;
        await server.StartAgainAsync(Api.Cancellation);

        Assert.Equal("shutting_down", notClaimed.Code);
        Assert.Equal([new(null, NativeEvents.Reconnect, "{\"nextIndex\":3}")], last);
        using var resumed = await api.OpenSseAsync(run, "s", headers: ("Last-Event-ID", "0"));
        Assert.Equal(["2", "3"], (await resumed.UntilAsync(NativeEvents.CaughtUp)).SkipLast(1).Select(next => next.Data));
        Assert.Equal(new AppendReceipt(3, 4, 1, 0, 2), await api.AppendAsync(run, "s", "4", Api.Json, Api.Producer("p", 1)));
    }
}
