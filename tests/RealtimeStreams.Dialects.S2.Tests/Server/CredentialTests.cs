using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace RealtimeStreams.Dialects.S2.Tests.Server;

public sealed class CredentialTests(S2Server server)
{
    private readonly string run = $"run/{Guid.NewGuid():N}";

    private string Name => $"runs/{run.Replace("/", "%2F", StringComparison.Ordinal)}/out";

    [Theory]
    [InlineData("")]
    [InlineData("wrong")]
    [InlineData("a.b.c")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.e30.AAAA")]
    public async Task Without_a_credential_nothing_is_told(string credential)
    {
        using var caller = server.NewCaller(credential);

        Assert.Equal((401, "authn"), (await caller.GetAsync("/v1/streams")).Error);
        Assert.Equal((401, "authn"), (await caller.GetAsync("/v1/nothing")).Error);
        await using var session = await caller.OpenAppendAsync("s");
        Assert.Equal(401, session.Status);
        Assert.Contains("authn", await session.TextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_for_a_stream_appends_to_it_and_does_nothing_else()
    {
        using var backend = server.NewCaller();
        Assert.Equal(201, (await backend.SendAsync(HttpMethod.Post, "/api/v1/runs", JsonSerializer.Serialize(new { id = run }))).Status);
        using var caller = server.NewCaller(Token($"append:streams:{run.Replace("/", "%2F", StringComparison.Ordinal)}/out"));

        await using var session = await caller.OpenAppendAsync(Name);
        await session.AppendAsync("""{"data":1,"id":"a"}""");
        Assert.Equal((0UL, 1UL, 1UL), await session.AckAsync());
        await caller.AppendTextAsync(Name, "unary");

        foreach (var answer in (Answer[])
        [
            await caller.AppendAsync(Name + "2", """{"records":[{}]}"""),
            await caller.AppendAsync("named", """{"records":[{}]}"""),
            await caller.GetAsync(S2Caller.Records(Name, "?seq_num=0")),
            await caller.GetAsync(S2Caller.Records(Name, "/tail")),
            await caller.GetAsync("/v1/streams"),
            await caller.GetAsync("/v1/basins"),
            await caller.SendAsync(HttpMethod.Delete, $"/v1/streams/{Uri.EscapeDataString(Name)}"),
            await caller.SendAsync(HttpMethod.Put, $"/v1/streams/{Uri.EscapeDataString(Name)}"),
        ])
        {
            Assert.Equal((403, "permission_denied"), answer.Error);
        }
    }

    [Fact]
    public async Task A_token_for_something_else_appends_nothing()
    {
        foreach (var scope in (string[])["read:streams:x/out", "append:streams:other/out", "read:runs:x", "write:streams"])
        {
            using var caller = server.NewCaller(Token(scope));
            Assert.Equal((403, "permission_denied"), (await caller.AppendAsync(Name, """{"records":[{}]}""")).Error);
        }
        using var expired = server.NewCaller(Token("admin", lifetime: -60));
        Assert.Equal((401, "authn"), (await expired.AppendAsync(Name, """{"records":[{}]}""")).Error);
    }

    [Fact]
    public async Task The_basin_is_the_credentials_own_or_not_said()
    {
        using var caller = server.NewCaller();

        Assert.Equal(200, (await caller.GetAsync("/v1/streams", ("s2-basin", S2Server.Basin))).Status);
        Assert.Equal((404, "basin_not_found"), (await caller.GetAsync("/v1/streams", ("s2-basin", "another-basin"))).Error);
    }

    private string Token(string scope, int lifetime = 60)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var signed = $"{Encode("""{"alg":"HS256","typ":"JWT"}""")}.{Encode(JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["sub"] = "default",
            ["pub"] = true,
            ["iss"] = "https://id.trigger.dev",
            ["aud"] = "https://api.trigger.dev",
            ["iat"] = now,
            ["exp"] = now + lifetime,
            ["scopes"] = (string[])[scope],
        }))}";
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(server.Process.SecretKey), Encoding.UTF8.GetBytes(signed));
        return $"{signed}.{System.Buffers.Text.Base64Url.EncodeToString(signature)}";

        static string Encode(string text) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
    }
}
