using System.IO.Pipelines;
using System.Net;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Dialects.Trigger.Tests;

/// <summary>A server that stops or is killed under its clients, on a broker that goes on.</summary>
public sealed class RestartTests : IAsyncLifetime
{
    private TestBroker? broker;
    private ServerProcess? process;
    private Api? api;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync(cancellationToken: Cancellation);
        process = await ServerProcess.StartAsync(new ServerProcessOptions { Nats = broker.Url }, Cancellation);
        api = new Api(process);
    }

    public async ValueTask DisposeAsync()
    {
        api?.Dispose();
        if (process is not null) await process.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reader_is_never_told_that_the_stream_is_over_and_goes_on_where_it_was(bool gently)
    {
        var run = await api!.RegisterAsync();
        await api.WriteAsync(run, "out", "0", "1", "2");
        using var reader = await api.ReadAsync(run, "out", "Timeout-Seconds", "600");
        var last = (await reader.TakeAsync(3))[^1];

        if (gently) await process!.StopAsync(Cancellation);
        else process!.Kill();
        await Assert.ThrowsAnyAsync<IOException>(() => reader.NextAsync());
        await process!.StartAgainAsync(Cancellation);

        using var resumed = await api.ReadAsync(run, "out", "Last-Event-ID", $"{last.SeqNum}");
        await api.WriteAsync(run, "out", "3");
        Assert.Equal([(3, "3")], (await resumed.TakeAsync(1)).Select(record => (record.SeqNum, record.Data)));
    }

    [Fact]
    public async Task A_reader_does_not_time_out_while_the_broker_is_away()
    {
        var run = await api!.RegisterAsync();
        await api.WriteAsync(run, "out", "0");
        using var reader = await api.ReadAsync(run, "out", "Timeout-Seconds", "10");
        await reader.TakeAsync(1);

        broker!.Kill();

        await Assert.ThrowsAnyAsync<IOException>(() => reader.NextAsync());
        await broker.StartAgainAsync(Cancellation);
        await Until.TrueAsync(() => "The read did not end cleanly when the broker was back.", () => EndsAsync(run));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_v1_writer_goes_on_behind_its_last_stored_line(bool gently)
    {
        var run = await api!.RegisterAsync();
        var pipe = new Pipe();
        using var client = process!.CreateClient();
        using var content = new PipeContent(pipe.Reader);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/realtime/v1/streams/{run}/self/out", UriKind.Relative)) { Content = content };
        request.Headers.Add("X-Client-Id", "c0ffee02");
        var sending = client.SendAsync(request, Cancellation);
        using var reader = await api.ReadAsync(run, "out");
        await pipe.Writer.WriteAsync("0\n1\n2\n3"u8.ToArray(), Cancellation);
        await reader.TakeAsync(3);

        var stopping = Task.CompletedTask;
        if (gently) stopping = process.StopAsync(Cancellation);
        else process.Kill();
        await Assert.ThrowsAnyAsync<IOException>(() => reader.NextAsync()); // It is stopping.
        await pipe.Writer.CompleteAsync(new IOException("It gives the connection up; until then the server would wait."));
        try
        {
            using var answer = await sending;
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode); // The writer tries again at 503, and after a cut.
        }
        catch (HttpRequestException)
        {
            // It was cut.
        }
        await stopping;
        await process.StartAgainAsync(Cancellation);
        using (var head = await api.SendAsync(HttpMethod.Head, $"/realtime/v1/streams/{run}/self/out", null, "X-Client-Id", "c0ffee02"))
            Assert.Equal("2", head.Headers.GetValues("X-Last-Chunk-Index").Single());
        // It does so from what it was told, or from the beginning when it could not ask.
        foreach (var resume in (string[])["3", "0"])
        {
            using var rest = await api.SendAsync(
                HttpMethod.Post, $"/realtime/v1/streams/{run}/self/out", string.Join('\n', Enumerable.Range(int.Parse(resume), 5 - int.Parse(resume))),
                "X-Client-Id", "c0ffee02", "X-Resume-From-Chunk", resume);
            Assert.Equal(HttpStatusCode.OK, rest.StatusCode);
        }

        Assert.Equal(["0", "1", "2", "3", "4"], await api.PageAsync(run, "out"));
    }

    private async Task<bool> EndsAsync(string run)
    {
        try
        {
            using var reader = await api!.ReadAsync(run, "out", "Timeout-Seconds", "1");
            return (await reader.TakeAllAsync()).Count == 1;
        }
        catch (Exception exception) when (exception is IOException or Xunit.Sdk.FailException)
        {
            return false;
        }
    }
}
