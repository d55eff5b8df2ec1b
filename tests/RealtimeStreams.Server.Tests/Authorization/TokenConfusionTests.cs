using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace RealtimeStreams.Server.Tests.Authorization;

/// <summary>Tokens that look like good ones, through all three dialects: none of them opens anything, and the good one beside them does.</summary>
[Collection(ServerInProcess.Name)]
public sealed class TokenConfusionTests(ServerInProcess server) : IAsyncLifetime
{
    private const string Key = ServerInProcess.SecretKey;

    private readonly string run = $"run-{Guid.NewGuid():N}";

    /// <summary>What is wrong, and the token that has it.</summary>
    private static readonly Dictionary<string, Func<Attack, string>> attacks = new()
    {
        ["alg none, without a signature"] = its => $"{SignedTokens.Encode("""{"alg":"none"}""")}.{SignedTokens.Encode(its.Claims)}.",
        ["alg none, with a good signature"] = its => Signed(its, """{"alg":"none"}"""),
        ["alg None"] = its => Signed(its, """{"alg":"None"}"""),
        ["alg hs256 in small letters"] = its => Signed(its, """{"alg":"hs256"}"""),
        ["alg HS384"] = its => Signed(its, """{"alg":"HS384"}"""),
        ["alg HS512, signed so"] = its => Sha512(its),
        ["alg RS256, signed with the key as a secret"] = its => Signed(its, """{"alg":"RS256"}"""),
        ["alg twice, the good one last"] = its => Signed(its, """{"alg":"none","alg":"HS256"}"""),
        ["alg twice, the good one first"] = its => Signed(its, """{"alg":"HS256","alg":"none"}"""),
        ["alg a list"] = its => Signed(its, """{"alg":["HS256"]}"""),
        ["no alg"] = its => Signed(its, """{"typ":"JWT"}"""),
        ["a header that is a list"] = its => Signed(its, """["HS256"]"""),
        ["a header that must be understood"] = its => Signed(its, """{"alg":"HS256","crit":["exp"]}"""),
        ["a header with a key of its own"] = its => SignedTokens.SignText("mine", its.Claims, """{"alg":"HS256","jwk":{"kty":"oct","k":"bWluZQ"}}"""),
        ["another header under the same signature"] = its => Swap(its, 0, SignedTokens.Encode("""{"typ":"JWT","alg":"HS256"}""")),
        ["a header with half a character in a name"] = its => Signed(its, """{"alg":"HS256","\ud800":1}"""),
        ["a header with half a character for alg"] = its => Signed(its, """{"alg":"HS\ud800"}"""),
        ["a header that is nothing but half a character"] = _ => $"{SignedTokens.Encode("""{"\ud800":1}""")}.e30.{new string('A', 43)}",
        ["signed with an empty key"] = its => SignedTokens.SignText("", its.Claims),
        ["signed with another key"] = its => SignedTokens.SignText("rssk_another-0123456789-0123456789", its.Claims),
        ["signed with another environment's key"] = its => SignedTokens.SignText(its.OtherKey, its.Claims),
        ["signed with the operator's key"] = its => SignedTokens.SignText(ServerInProcess.OperatorKey, its.Claims),
        ["signed with the key's digest"] = its => SignedTokens.SignText(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Key))), its.Claims),
        ["sub of another environment"] = its => Changed(its, claims => claims["sub"] = its.OtherId),
        ["sub of no environment"] = its => Changed(its, claims => claims["sub"] = "nowhere"),
        ["sub in other letters"] = its => Changed(its, claims => claims["sub"] = "Default"),
        ["sub with a space"] = its => Changed(its, claims => claims["sub"] = "default "),
        ["sub with a NUL"] = its => Changed(its, claims => claims["sub"] = "default\0"),
        ["sub a list"] = its => Changed(its, claims => claims["sub"] = new JsonArray("default")),
        ["no sub"] = its => Changed(its, claims => claims.Remove("sub")),
        ["sub swapped under the signature"] = its => SignedTokens.Tamper(SignedTokens.Sign(its.OtherKey, its.OtherId, its.Scopes), "\"other\"", "\"default\""),
        ["scope changed under the signature"] = its => SignedTokens.Tamper(SignedTokens.Sign(Key, "default", ["read:runs:x"]), "read:runs:x", its.Scopes[0]),
        ["exp moved under the signature"] = its => Tampered(its, claims => claims["exp"] = 9_999_999_999),
        ["exp just now"] = its => Changed(its, claims => claims["exp"] = Now),
        ["exp 0"] = its => Changed(its, claims => claims["exp"] = 0),
        ["exp below 0"] = its => Changed(its, claims => claims["exp"] = -1),
        ["exp a text"] = its => Changed(its, claims => claims["exp"] = (Now + 600).ToString(CultureInfo.InvariantCulture)),
        ["exp null"] = its => Changed(its, claims => claims["exp"] = null),
        ["exp beyond all numbers"] = its => SignedTokens.SignText(Key, its.Claims.Replace($"\"exp\":{its.ExpiresAt}", "\"exp\":1e999", StringComparison.Ordinal)),
        ["no exp"] = its => Changed(its, claims => claims.Remove("exp")),
        ["exp twice"] = its => SignedTokens.SignText(Key, its.Claims.Replace("\"exp\":", "\"exp\":1,\"exp\":", StringComparison.Ordinal)),
        ["sub twice"] = its => SignedTokens.SignText(Key, its.Claims.Replace("\"sub\":", "\"sub\":\"other\",\"sub\":", StringComparison.Ordinal)),
        ["scopes twice"] = its => SignedTokens.SignText(Key, its.Claims.Replace("\"scopes\":", "\"scopes\":[],\"scopes\":", StringComparison.Ordinal)),
        ["scopes twice, once escaped"] = its => SignedTokens.SignText(Key, its.Claims.Replace("\"scopes\":", "\"scope\\u0073\":[],\"scopes\":", StringComparison.Ordinal)),
        ["nbf far ahead"] = its => Changed(its, claims => claims["nbf"] = Now + 3600),
        ["iat far ahead"] = its => Changed(its, claims => claims["iat"] = Now + 3600),
        ["iat a text"] = its => Changed(its, claims => claims["iat"] = "now"),
        ["another issuer"] = its => Changed(its, claims => claims["iss"] = "https://id.example"),
        ["another audience"] = its => Changed(its, claims => claims["aud"] = "https://api.example"),
        ["no audience among several"] = its => Changed(its, claims => claims["aud"] = new JsonArray("https://api.example", 7)),
        ["not public"] = its => Changed(its, claims => claims["pub"] = false),
        ["public as a text"] = its => Changed(its, claims => claims["pub"] = "true"),
        ["scopes a text"] = its => Changed(its, claims => claims["scopes"] = its.Scopes[0]),
        ["scopes with what is no text"] = its => Changed(its, claims => claims["scopes"] = new JsonArray(its.Scopes[0], 7)),
        ["all nested in an object"] = its => SignedTokens.SignText(Key, $$"""{"claims":{{its.Claims}}}"""),
        ["all nested in a list"] = its => SignedTokens.SignText(Key, $"[{its.Claims}]"),
        ["nested too deep"] = its => Changed(its, claims => claims["x"] = Nested(100)),
        ["with a comment"] = its => SignedTokens.SignText(Key, its.Claims.Insert(1, "/**/")),
        ["with a comma too many"] = its => SignedTokens.SignText(Key, its.Claims.Insert(its.Claims.Length - 1, ",")),
        ["with something behind it"] = its => SignedTokens.SignText(Key, its.Claims + "{}"),
        ["not UTF-8"] = its => SignedBytes([.. Encoding.UTF8.GetBytes(its.Claims[..^1]), .. ",\"x\":\""u8, 0xff, 0xfe, .. "\"}"u8]),
        ["half a character in a name"] = its => SignedTokens.SignText(Key, its.Claims.Insert(1, """ "\ud800":1,""")),
        ["half a character in a text"] = its => SignedTokens.SignText(Key, its.Claims.Insert(1, """ "x":["\udc00"],""")),
        ["half a character in sub"] = its => SignedTokens.SignText(Key, its.Claims.Replace("\"sub\":\"default", "\"sub\":\"default\\ud800", StringComparison.Ordinal)),
        ["huge"] = its => Changed(its, claims => claims["x"] = new string('x', 9000)),
        ["a jti that outlives its revocation"] = its => Changed(its, claims => claims["jti"] = $"tok_{its.ExpiresAt - 1:x}_00112233445566778899aabbccddeeff"),
        ["without its signature"] = its => its.Good[..(its.Good.LastIndexOf('.') + 1)],
        ["without the dot of its signature"] = its => its.Good[..its.Good.LastIndexOf('.')],
        ["half of its signature"] = its => its.Good[..^20],
        ["a signature that is longer"] = its => its.Good + "AAAA",
        ["the last bits of the signature changed"] = its => its.Good[..^1] + Other(its.Good[^1]),
        ["padding behind it"] = its => its.Good + "=",
        ["the signature in the other alphabet"] = its => its.Good[..^1] + "+",
        ["a part more"] = its => its.Good + ".AAAA",
        ["an empty part in front"] = its => "." + its.Good,
        ["a space in it"] = its => its.Good.Insert(its.Good.IndexOf('.', StringComparison.Ordinal), " "),
        ["a tab in it"] = its => its.Good.Insert(10, "\t"),
        ["its parts in capital letters"] = its => its.Good.ToUpperInvariant(),
        ["escaped dots"] = its => its.Good.Replace(".", "%2E", StringComparison.Ordinal),
        ["quoted"] = its => $"\"{its.Good}\"",
        ["two of them"] = its => $"{its.Good} {its.Good}",
        ["two of them with a comma"] = its => $"{its.Good}, Bearer {its.Good}",
        ["the key with a NUL"] = _ => Key[..^1] + "%00",
    };

    public static TheoryData<string> Attacks => [.. attacks.Keys];

    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>A route of each dialect that takes tokens, with a scope that opens it.</summary>
    private (string Path, string Scope)[] Dialects =>
    [
        ($"/api/v1/runs/{run}", $"read:runs:{run}"),
        ($"/api/v3/runs/{run}", $"read:runs:{run}"),
        ($"/v1/streams/runs%2F{run}%2Fs/records/tail", $"check-tail:s2-exact:runs/{run}/s"),
    ];

    public async ValueTask InitializeAsync()
    {
        var (status, text) = await server.SendAsync("POST", "/api/v1/runs", "Bearer " + Key, $$"""{"id":"{{run}}"}""");
        Assert.True(status == 201, text);
        (status, text) = await server.SendAsync("POST", $"/api/v1/runs/{run}/streams/s", "Bearer " + Key, "0");
        Assert.True(status == 200, text);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory, MemberData(nameof(Attacks))]
    public async Task A_token_that_only_looks_good_opens_nothing(string attack)
    {
        foreach (var (path, scope) in Dialects)
        {
            var its = new Attack(scope, server.Other);
            Assert.Equal(200, (await server.SendAsync("GET", path, "Bearer " + its.Good, null)).Status);

            var token = attacks[attack](its);
            Assert.NotEqual(its.Good, token);
            var (status, text) = await server.SendAsync("GET", path, "Bearer " + token, null);

            Assert.True(status == 401, $"{status} at {path}: {text}");
            Assert.DoesNotContain(token[..Math.Min(token.Length, 40)], text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_belongs_to_no_scheme_of_ours_is_no_credential_and_a_scheme_in_other_letters_is_one()
    {
        foreach (var (path, scope) in Dialects)
        {
            var good = new Attack(scope, server.Other).Good;
            foreach (var header in (string[])[good, $"Basic {good}", $"Token {good}", $"Bearer{good}", $"Bearer:{good}", $"DPoP {good}", "Bearer", "Bearer ", ""])
                Assert.Equal(401, (await server.SendAsync("GET", path, header, null)).Status);
            foreach (var header in (string[])[$"bearer {good}", $"BEARER  {good} "])
                Assert.Equal(200, (await server.SendAsync("GET", path, header, null)).Status);
            Assert.Equal(401, (await server.SendAsync("GET", $"{path}{(path.Contains('?', StringComparison.Ordinal) ? "&" : "?")}access_token={good}", null, null)).Status);
        }
    }

    [Fact]
    public async Task Several_headers_are_none_whichever_of_them_is_good()
    {
        foreach (var (path, scope) in Dialects)
        {
            var good = new Attack(scope, server.Other).Good;
            Assert.Equal(200, await SendRawAsync(path, $"Authorization: Bearer {good}\r\n"));
            Assert.Equal(401, await SendRawAsync(path, $"Authorization: Bearer {good}\r\nAuthorization: Bearer {good}\r\n"));
            Assert.Equal(401, await SendRawAsync(path, $"Authorization: Bearer garbage\r\nauthorization: Bearer {good}\r\n"));
            Assert.Equal(401, await SendRawAsync(path, $"Authorization: Bearer {good}\r\nAuthorization: Bearer {Key}\r\n"));
            Assert.Equal(401, await SendRawAsync(path, $"Proxy-Authorization: Bearer {good}\r\n"));
            Assert.Equal(401, await SendRawAsync(path, $"Cookie: Authorization=Bearer {good}\r\n"));
        }
    }

    [Theory]
    [InlineData("""{"sub":"default","pub":true,"iss":"https://id.trigger.dev","aud":"https://api.trigger.dev","exp":9999999999}""")]
    [InlineData("""{"sub":"default","pub":true,"scopes":[],"iss":"https://id.trigger.dev","aud":"https://api.trigger.dev","exp":9999999999}""")]
    [InlineData("""{"sub":"default","pub":true,"scopes":["","read","admin:runs","Admin","ADMIN"," admin","admin ","read:","read::x","read:runs:","*","*:","all","admin:"],"iss":"https://id.trigger.dev","aud":"https://api.trigger.dev","exp":9999999999}""")]
    public async Task A_token_whose_scopes_say_nothing_allows_nothing(string claims)
    {
        foreach (var (path, _) in Dialects)
        {
            var iat = claims.Insert(1, string.Create(CultureInfo.InvariantCulture, $"\"iat\":{Now + 3},"));
            Assert.Contains((await server.SendAsync("GET", path, "Bearer " + SignedTokens.SignText(Key, iat), null)).Status, (int[])[403, 404]);
        }
    }

    private static string Signed(Attack its, string header) => SignedTokens.SignText(Key, its.Claims, header);

    private static string Changed(Attack its, Action<JsonObject> change)
    {
        var claims = JsonNode.Parse(its.Claims)!.AsObject();
        change(claims);
        return SignedTokens.SignText(Key, claims.ToJsonString());
    }

    private static string Tampered(Attack its, Action<JsonObject> change)
    {
        var changed = Changed(its, change).Split('.');
        return $"{changed[0]}.{changed[1]}.{its.Good.Split('.')[2]}";
    }

    private static string Swap(Attack its, int part, string text)
    {
        var parts = its.Good.Split('.');
        parts[part] = text;
        return string.Join('.', parts);
    }

    private static string Sha512(Attack its)
    {
        var input = $"{SignedTokens.Encode("""{"alg":"HS512"}""")}.{SignedTokens.Encode(its.Claims)}";
        return $"{input}.{System.Buffers.Text.Base64Url.EncodeToString(HMACSHA512.HashData(Encoding.UTF8.GetBytes(Key), Encoding.UTF8.GetBytes(input)))}";
    }

    private static string SignedBytes(byte[] claims)
    {
        var input = $"{SignedTokens.Encode(SignedTokens.Header)}.{System.Buffers.Text.Base64Url.EncodeToString(claims)}";
        return $"{input}.{SignedTokens.Signature(Key, input)}";
    }

    private static JsonNode Nested(int depth)
    {
        JsonNode node = new JsonArray();
        for (var i = 0; i < depth; i++) node = new JsonArray(node);
        return node;
    }

    // Of the last character of 32 bytes only four bits count; the next one in the alphabet differs in one that does not.
    private static char Other(char letter) => letter is 'Z' ? 'a' : letter is 'z' ? '0' : letter is '9' ? '-' : (char)(letter + 1);

    private async Task<int> SendRawAsync(string path, string headers)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(server.Address.Host, server.Address.Port, TestContext.Current.CancellationToken);
        await using var stream = connection.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {server.Address.Authority}\r\nConnection: close\r\n{headers}\r\n"), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        var first = await reader.ReadLineAsync(TestContext.Current.CancellationToken);
        return int.Parse(first!.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    /// <summary>What an attack starts from: a good token.</summary>
    private sealed class Attack
    {
        public Attack(string scope, (string Id, string Key) other)
        {
            Scopes = [scope];
            var claims = SignedTokens.Claims("default", Scopes);
            ExpiresAt = claims["exp"]!.GetValue<long>();
            Claims = claims.ToJsonString();
            Good = SignedTokens.SignText(ServerInProcess.SecretKey, Claims);
            (OtherId, OtherKey) = other;
        }

        public string[] Scopes { get; }

        public long ExpiresAt { get; }

        public string Claims { get; }

        public string Good { get; }

        public string OtherId { get; }

        public string OtherKey { get; }
    }
}
