using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Two servers on one broker and one database, with short leases, and a writer that does not come back.</summary>
public sealed class AbandonedStreamTests(SharedServer shared)
{
    private static readonly Dictionary<string, string> settings = new()
    {
        ["RealtimeStreams__WriterLease"] = "00:10:00",
        ["RealtimeStreams__Sweep__LeaseInterval"] = "00:00:00.500",
        ["RealtimeStreams__Sweep__LeaseGrace"] = "00:00:03",
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_whose_server_was_killed_with_its_writer_is_abandoned_once_and_readers_and_the_returning_writer_learn_it()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        await using var postgres = TestPostgres.IsPresent ? await TestPostgres.StartAsync(Cancelled) : null;
        using var data = new TempFolder("deployment");
        var options = new ServerProcessOptions
        {
            Nats = broker.Url,
            Registry = postgres is null ? null : await postgres.CreateDatabaseAsync(Cancelled),
            DataDirectory = data.FullPath,
            Settings = settings,
        };
        await using var first = await ServerProcess.StartAsync(options, Cancelled);
        await using var second = await ServerProcess.StartAsync(options, Cancelled);
        await using var third = await ServerProcess.StartAsync(options, Cancelled);
        using var doomed = new Api(first.CreateClient());
        using var api = new Api(second.CreateClient());
        var run = await api.RegisterAsync();

        // A writer that keeps its body open and says nothing after its first line.
        using var writer = doomed.Request(HttpMethod.Post, Api.StreamPath(run, "output"), (NativeHeaders.WriterLease, "5"));
        using var line = new OpenBody("{\"n\":0}\n");
        writer.Content = line;
        var writing = doomed.Client.SendAsync(writer, Cancelled);
        using var reader = await api.OpenSseAsync(run, "output");
        await Until.TrueAsync(() => "The line was not stored.", async () => (await api.PageAsync(run, "output")).NextIndex == 1);

        // A stream that begins later, and that nobody holds open, shows when the first would have been abandoned.
        await api.AppendAsync(run, "control", "0", headers: (NativeHeaders.WriterLease, "5"));
        await Until.TrueAsync(() => "The other stream was not abandoned.", async () => (await api.PageAsync(run, "control")).Outcome == "abandoned");
        Assert.Equal("open", (await api.PageAsync(run, "output")).State);

        first.Kill();
        line.End();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => writing);

        var end = (await reader.UntilAsync("end"))[^1];
        using (var told = JsonDocument.Parse(end.Data))
            Assert.Equal(("abandoned", 1), (told.RootElement.GetProperty("outcome").GetString(), told.RootElement.GetProperty("nextIndex").GetInt32()));
        var problem = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "output"), "1"));
        Assert.Equal((409, "stream_closed"), (problem.Status, problem.Code));
        Assert.Contains("abandoned", problem.Detail, StringComparison.Ordinal);
        using (var trigger = await api.SendAsync(HttpMethod.Put, $"/realtime/v1/streams/{run}/self/output"))
        {
            Assert.Equal(HttpStatusCode.BadRequest, trigger.StatusCode);
            Assert.Contains("abandoned", await trigger.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        }
        using (var s2 = await api.SendAsync(HttpMethod.Post, $"/v1/streams/runs%2F{run}%2Foutput/records", """{"records":[{"body":"1"}]}"""))
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, s2.StatusCode);
            Assert.Contains("abandoned", await s2.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        }
        await Until.TrueAsync(() => "Nobody told of it.", () => Told() > 0);
        Assert.Equal(1, Told());

        int Told() => second.Log.Concat(third.Log).Count(text => text.Contains("Closed output of run", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Silent_writers_of_every_kind_that_are_there_keep_their_streams()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        await using var server = await ServerProcess.StartAsync(
            new ServerProcessOptions { Nats = broker.Url, Settings = new Dictionary<string, string>(settings) { ["RealtimeStreams__WriterLease"] = "00:00:05" } }, Cancelled);
        using var api = new Api(server.CreateClient());
        using var sdk = Traffic.ClientOf(server);
        var run = await api.RegisterAsync();
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var pipe = sdk.Streams.Pipe(Traffic.Stream, PauseAsync(go.Task), new PipeOptions { Target = run }, Cancelled);
        foreach (var key in (string[])["trigger", "s2"]) await api.AppendAsync(run, key, "0");
        using var ingest = api.Request(HttpMethod.Post, $"/realtime/v1/streams/{run}/self/trigger");
        using var session = api.Request(HttpMethod.Post, $"/v1/streams/runs%2F{run}%2Fs2/records");
        using OpenBody lines = new("1\n"), frames = new("", "s2s/proto");
        (ingest.Content, session.Content) = (lines, frames);
        var ingesting = api.Client.SendAsync(ingest, Cancelled);
        var appending = api.Client.SendAsync(session, Cancelled);
        await Until.TrueAsync(() => "The line was not stored.", async () => (await api.PageAsync(run, "trigger")).NextIndex == 2);
        await Until.TrueAsync(() => "The pipe did not begin.", async () => (await api.PageAsync(run, Traffic.Stream.Key)).NextIndex == 1);

        await api.AppendAsync(run, "control", "0");
        await Until.TrueAsync(() => "The control stream was not abandoned.", async () => (await api.PageAsync(run, "control")).Outcome == "abandoned");

        foreach (var key in (string[])["trigger", "s2", Traffic.Stream.Key]) Assert.Equal((key, "open"), (key, (await api.PageAsync(run, key)).State));
        go.SetResult();
        lines.End();
        frames.End();
        Assert.Equal(2, (await pipe.WaitUntilCompleteAsync(Cancelled)).Chunks);
        using (var ingested = await ingesting) Assert.Equal(HttpStatusCode.OK, ingested.StatusCode);
        using (var appended = await appending) Assert.Equal(HttpStatusCode.OK, appended.StatusCode);

        static async IAsyncEnumerable<string> PauseAsync(Task until)
        {
            yield return "a";
            await until;
            yield return "b";
        }
    }

    [Theory]
    [InlineData("4")]
    [InlineData("604801")]
    [InlineData("10m")]
    [InlineData("-5")]
    public async Task A_lease_out_of_its_bounds_is_refused_and_nothing_is_stored(string lease)
    {
        using var api = new Api(shared.Process.CreateClient());
        var run = await api.RegisterAsync();

        var problem = await Api.ReadProblemAsync(
            await api.SendAsync(HttpMethod.Post, Api.StreamPath(run), "1", headers: (NativeHeaders.WriterLease, lease)));

        Assert.Equal((400, "invalid_request", NativeHeaders.WriterLease), (problem.Status, problem.Code, problem.Field));
        Assert.Equal(0, (await api.PageAsync(run, "default")).NextIndex);
    }

    /// <summary>A body of lines that stays open until it is ended.</summary>
    private sealed class OpenBody : HttpContent
    {
        private readonly byte[] first;
        private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public OpenBody(string line, string type = Api.Lines)
        {
            first = Encoding.UTF8.GetBytes(line);
            Headers.ContentType = new MediaTypeHeaderValue(type);
        }

        public void End() => ended.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(first);
            await stream.FlushAsync();
            await ended.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
