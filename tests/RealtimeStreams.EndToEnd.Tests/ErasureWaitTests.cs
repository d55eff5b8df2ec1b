using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Requests that wait for the end of an erasure, which the broker holds up: they last no longer than their key, and no longer than the server.</summary>
public sealed class ErasureWaitTests : IAsyncLifetime
{
    private const string OperatorKey = "operator-0123456789-abcdefghijkl";
    private const string Keys = "/api/v1/admin/environments/tenant/keys";

    // Longer than an erasure tries before it gives up for now, and than any of this takes.
    private static readonly TimeSpan wait = TimeSpan.FromSeconds(30);

    private TestBroker? broker;
    private NatsProxy? proxy;
    private ServerProcess? server;
    private Api? operators;
    private MadeSecretKey? made;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private Api Operators => operators!;

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        proxy = new NatsProxy(broker.Port);
        server = await ServerProcess.StartAsync(new ServerProcessOptions
        {
            Nats = proxy.Url,
            Settings = new Dictionary<string, string>
            {
                ["RealtimeStreams__OperatorKey"] = OperatorKey,
                ["RealtimeStreams__RunRegistry__RepeatAfter"] = "00:00:02",
                ["RealtimeStreams__Sweep__Interval"] = "00:00:01",
                ["RealtimeStreams__Sweep__ShortInterval"] = "00:00:00.500",
            },
        }, Cancelled);
        operators = NewApi(OperatorKey);
        made = await Api.ReadAsync(
            await Operators.SendAsync(HttpMethod.Post, "/api/v1/admin/environments", JsonSerializer.Serialize(new CreateEnvironment("tenant"), NativeJson.Default.CreateEnvironment)),
            NativeJson.Default.MadeSecretKey);
    }

    public async ValueTask DisposeAsync()
    {
        proxy?.Release(ErasureTests.ReadLink);
        operators?.Dispose();
        if (server is not null) await server.DisposeAsync();
        if (proxy is not null) await proxy.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
    }

    [Fact]
    public async Task A_wait_for_an_erasure_ends_with_the_key_that_is_revoked_or_runs_out_and_the_erasure_and_whoever_else_waits_go_on()
    {
        var other = await Api.ReadAsync(await Operators.SendAsync(HttpMethod.Post, Keys), NativeJson.Default.MadeSecretKey);
        using var revoked = NewApi(made!.SecretKey);
        using var staying = NewApi(other.SecretKey);
        var began = Stopwatch.GetTimestamp();
        var (erase, id) = await BeginErasingAsync(revoked);
        var ask = AskAsync(revoked, id);
        var askOther = AskAsync(staying, id);
        var replaced = await Api.ReadAsync(await Operators.SendAsync(HttpMethod.Post, $"{Keys}/{other.Key.Id}/rotate", """{"overlapInSeconds":3}"""), NativeJson.Default.MadeSecretKey);
        using var last = NewApi(replaced.SecretKey);
        var askLast = AskAsync(last, id);
        Assert.False(ask.IsCompleted || askLast.IsCompleted, "Somebody did not wait."); // The DELETE also ends when the server gives up for now, after 5 s: EraseRunTests has that apart.

        using (var answer = await Operators.SendAsync(HttpMethod.Delete, $"{Keys}/{made.Key.Id}")) Assert.Equal(200, (int)answer.StatusCode);

        Assert.Equal(("unauthorized", 401), await ProblemOfAsync(await ask));
        var told = await Api.ReadAsync(await erase, NativeJson.Default.ErasureReceipt); // It was begun before, and says so.
        Assert.Equal((id, ErasureState.Erasing, default(DateTimeOffset?)), (told.Id, told.State, told.ErasedAt));
        Assert.Equal(("unauthorized", 401), await ProblemOfAsync(await askOther)); // At the end of the overlap.
        Assert.True(Stopwatch.GetElapsedTime(began) < wait, "The waits were over anyway.");
        Assert.False(askLast.IsCompleted, "The key that is left does not wait any more.");
        proxy!.Release(ErasureTests.ReadLink);
        var done = await Api.ReadAsync(await askLast, NativeJson.Default.ErasureReceipt);
        Assert.Equal((id, told.RequestedAt), (done.Id, done.RequestedAt));
        await Until.TrueAsync(
            () => "The erasure was not finished.",
            async () => (await Api.ReadAsync(await AskAsync(last, id), NativeJson.Default.ErasureReceipt)).State == ErasureState.Erased,
            TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_wait_for_an_erasure_ends_with_the_server()
    {
        using var api = NewApi(made!.SecretKey);
        var began = Stopwatch.GetTimestamp();
        var (erase, id) = await BeginErasingAsync(api);
        var ask = AskAsync(api, id);
        using (await api.SendAsync(HttpMethod.Get, $"/api/v1/erasures/{id}"))
        {
            // By then the server has the other one, too.
        }

        var stopping = server!.StopAsync(Cancelled);

        Assert.Equal(("shutting_down", 503), await ProblemOfAsync(await ask));
        Assert.Equal(ErasureState.Erasing, (await Api.ReadAsync(await erase, NativeJson.Default.ErasureReceipt)).State);
        Assert.True(Stopwatch.GetElapsedTime(began) < wait, "The waits were over anyway.");
        proxy!.Release(ErasureTests.ReadLink);
        await stopping;
    }

    /// <summary>Begins an erasure that does not get past the broker; its request waits.</summary>
    private async Task<(Task<HttpResponseMessage> Answer, string Id)> BeginErasingAsync(Api api)
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "\"secret\"");
        proxy!.Hold(ErasureTests.ReadLink);
        var answer = api.SendAsync(HttpMethod.Delete, $"/api/v1/runs/{run}?waitInSeconds={wait.TotalSeconds:0}");
        await Until.TrueAsync(() => "The erasure did not begin.", async () =>
        {
            using var missing = await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}");
            return (int)missing.StatusCode == 404;
        });
        // Asked again, the receipt is the same.
        var asked = await Api.ReadAsync(await api.SendAsync(HttpMethod.Delete, $"/api/v1/runs/{run}?waitInSeconds=0"), NativeJson.Default.ErasureReceipt);
        return (answer, asked.Id);
    }

    private static Task<HttpResponseMessage> AskAsync(Api api, string id) => api.SendAsync(HttpMethod.Get, $"/api/v1/erasures/{id}?waitInSeconds={wait.TotalSeconds:0}");

    private static async Task<(string? Code, int Status)> ProblemOfAsync(HttpResponseMessage answer)
    {
        var problem = await Api.ReadProblemAsync(answer);
        return (problem.Code, problem.Status);
    }

    private Api NewApi(string credential) => new(new HttpClient
    {
        BaseAddress = server!.Address,
        Timeout = Timeout.InfiniteTimeSpan,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", credential) },
    });
}
