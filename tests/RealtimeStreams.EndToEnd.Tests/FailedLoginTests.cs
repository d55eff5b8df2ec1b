using System.Buffers.Text;
using System.Text;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Credentials that open nothing are counted by the client's address; guessing gets slow and hurts nobody who has a right to be there.</summary>
public sealed class FailedLoginTests : IAsyncLifetime
{
    private const string OperatorKey = "operator-0123456789-abcdefghijkl";

    private TestBroker? broker;
    private ServerProcess? server;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private ServerProcess Server => server!;

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        server = await ServerProcess.StartAsync(new ServerProcessOptions
        {
            Nats = broker.Url,
            Settings = new Dictionary<string, string>
            {
                ["RealtimeStreams__Limits__FailedLoginsPerSecond"] = "1",
                ["RealtimeStreams__Limits__FailedLoginBurst"] = "5",
                ["RealtimeStreams__OperatorKey"] = OperatorKey,
            },
        }, Cancelled);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
    }

    [Fact]
    public async Task Guessing_is_slowed_for_every_dialect_and_the_admin_api_while_keys_in_use_and_tokens_open_and_no_credential_at_all_is_no_guess()
    {
        using var api = new Api(Server.CreateClient());
        var run = await api.RegisterAsync(); // The key is in use from now on.
        await api.AppendAsync(run, "default", "1");
        var issued = await Api.ReadAsync(await api.SendAsync(HttpMethod.Post, "/api/v1/tokens", $$"""{"scopes":["read:runs:{{run}}"]}"""), NativeJson.Default.TokenInfo);
        for (var i = 0; i < 20; i++) Assert.Equal(401, await StatusAsync("/api/v1/runs", null));

        var statuses = new List<int>();
        for (var i = 0; statuses.Count(status => status == 429) < 3; i++)
        {
            statuses.Add(await StatusAsync("/api/v1/runs", i % 2 == 0 ? $"guess-{i}-0123456789" : GuessedToken(i)));
            Assert.True(i < 100, string.Join(' ', statuses));
        }
        Assert.Equal([401, 401, 401, 401, 401], statuses[..5]);
        Assert.All(statuses, status => Assert.True(status is 401 or 429, $"{status}"));

        foreach (var path in (string[])["/api/v1/runs", "/api/v1/admin/environments", $"/realtime/v1/streams/{run}/default", "/v1/streams"])
            await Until.TrueAsync(() => $"{path} never answered 429.", async () => await StatusAsync(path, "another-guess-0123456789") == 429);

        // One more guess, so that nothing is left however long that took; even the right operator key is not looked at then, because it could be one.
        await Until.TrueAsync(() => "The operator key is looked at.", async () =>
        {
            while (await StatusAsync("/api/v1/runs", "guess-0123456789-0123456789") != 429) Cancelled.ThrowIfCancellationRequested();
            return await StatusAsync("/api/v1/admin/environments", OperatorKey) == 429;
        });
        Assert.Equal(200, await StatusAsync("/api/v1/runs", Server.SecretKey));
        Assert.Equal(200, await StatusAsync(Api.StreamPath(run) + "?limit=1", issued.Token));

        using var client = new HttpClient { BaseAddress = Server.Address };
        using var wrong = new Api(client);
        Problem? problem = null;
        await Until.TrueAsync(() => "It was never refused.", async () =>
        {
            var answer = await wrong.SendAsync(HttpMethod.Get, "/api/v1/runs", headers: ("Authorization", "Bearer guess-0123456789"));
            if ((int)answer.StatusCode != 429)
            {
                answer.Dispose();
                return false;
            }
            Assert.True(answer.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
            problem = await Api.ReadProblemAsync(answer);
            return true;
        });
        Assert.Equal(new LimitInfo("failedLoginsPerSecond", 1, "address"), problem!.Limit);
        await Until.TrueAsync(() => "The operator is shut out for good.", async () => await StatusAsync("/api/v1/admin/environments", OperatorKey) == 200);
    }

    /// <summary>What has the form of a token of this product's, of an environment that there is not or that there is, under a signature that was guessed.</summary>
    private static string GuessedToken(int i)
    {
        var environment = i % 4 == 1 ? $"guess-{i}" : "default";
        var claims = $$"""{"sub":"{{environment}}","pub":true,"scopes":["admin"],"iss":"https://id.trigger.dev","aud":"https://api.trigger.dev","exp":9999999999}""";
        return $"{Base64Url.EncodeToString("""{"alg":"HS256"}"""u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.{new string('A', 43)}";
    }

    private async Task<int> StatusAsync(string path, string? credential)
    {
        using var api = new Api(new HttpClient { BaseAddress = Server.Address });
        using var answer = await api.SendAsync(
            HttpMethod.Get, path, headers: [("Authorization", credential is null ? null : $"Bearer {credential}"), ("Accept", "application/json")]);
        return (int)answer.StatusCode;
    }
}
