using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.SecretKeys;
using RealtimeStreams.RunRegistry.Storing;
using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class AccessTokenOnPostgresTests(PostgresDatabases databases) : AccessTokenContract(databases);

public sealed class AccessTokenOnSqliteTests(SqliteDatabases databases) : AccessTokenContract(databases), IClassFixture<SqliteDatabases>;

public abstract class AccessTokenContract(TestDatabases databases) : RegistryContract(databases)
{
    private const string Key = "a-configured-secret-key";

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_token_that_the_sdk_signed_with_the_secret_key_grants_its_scopes_until_it_expires()
    {
        var node = await StartAsync();

        var grant = await VerifyAsync(node, Good());

        Assert.NotNull(grant);
        Assert.Equal(Environment, grant.Environment);
        Assert.Equal([new AccessScope("read", "runs", "run_1")], grant.Scopes);
        Assert.Equal(clock.GetUtcNow().AddMinutes(15), grant.ExpiresAt);
    }

    [Fact]
    public async Task An_issued_token_is_a_valid_one_on_every_node_for_its_lifetime()
    {
        var node = await StartAsync();
        var other = await StartAsync();

        var issued = await Tokens(node).IssueAsync(Environment, ["append:streams:run%2F1/a:b", "read:runs"], TimeSpan.FromHours(1), "a test", Cancelled);
        var token = issued.Token;

        var grant = await VerifyAsync(other, token);
        Assert.NotNull(grant);
        Assert.Equal(issued.Id, grant.TokenId);
        Assert.Equal(issued.ExpiresAt, grant.ExpiresAt);
        Assert.DoesNotContain(token, issued.ToString(), StringComparison.Ordinal);
        Assert.True(grant.Allows("append", new AccessResource("streams", "run%2F1/a:b")));
        Assert.False(grant.Allows("append", new AccessResource("streams", "run%2F1/a")));
        clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromSeconds(1));
        Assert.NotNull(await VerifyAsync(other, token));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await VerifyAsync(other, token));
    }

    [Fact]
    public async Task A_token_that_nobody_can_make_is_refused_to_whoever_asks_for_it()
    {
        var tokens = Tokens(await StartAsync());

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await tokens.IssueAsync(EnvironmentId.Parse("other"), [], TimeSpan.FromHours(1), "a test", Cancelled));
        await Assert.ThrowsAsync<ArgumentException>(async () => await tokens.IssueAsync(Environment, [""], TimeSpan.FromHours(1), "a test", Cancelled));
        await Assert.ThrowsAsync<ArgumentException>(async () => await tokens.IssueAsync(Environment, [new string('x', 8192)], TimeSpan.FromHours(1), "a test", Cancelled));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await tokens.IssueAsync(Environment, [], TimeSpan.Zero, "a test", Cancelled));
    }

    [Fact]
    public async Task Keys_of_any_length_verify_and_each_only_for_its_own_environment()
    {
        var node = await StartAsync();
        var keys = new Dictionary<string, string>
        {
            ["short"] = "8 bytes!",
            ["long"] = new('k', 500),
            ["umlaut"] = "schlüssel-mit-ä-und-€",
        };
        foreach (var (environment, key) in keys) await AddEnvironmentAsync(node, environment, key);

        foreach (var (environment, key) in keys)
        {
            Assert.Equal(environment, (await VerifyAsync(node, Good(environment, key)))!.Environment.Value);
            Assert.Null(await VerifyAsync(node, Good(environment)));
            Assert.Null(await VerifyAsync(node, Good("default", key)));
        }
        Assert.Null(await VerifyAsync(node, Good("nowhere")));
    }

    [Fact]
    public async Task Every_key_of_an_environment_verifies()
    {
        var node = await StartAsync();
        await AddEnvironmentAsync(node, "two", "the-older-of-two");
        await AddKeyAsync(node, "two", "the-newer-of-two");

        Assert.NotNull(await VerifyAsync(node, Good("two", "the-older-of-two")));
        Assert.NotNull(await VerifyAsync(node, Good("two", "the-newer-of-two")));
        Assert.Null(await VerifyAsync(node, Good("two", "none-of-the-two")));
    }

    [Theory]
    [InlineData("""{"alg":"none"}""")]
    [InlineData("""{"alg":"NONE","typ":"JWT"}""")]
    [InlineData("""{"alg":"hs256"}""")]
    [InlineData("""{"alg":"HS384"}""")]
    [InlineData("""{"alg":"HS512"}""")]
    [InlineData("""{"alg":"RS256"}""")]
    [InlineData("""{"alg":"ES256"}""")]
    [InlineData("""{"alg":["HS256"]}""")]
    [InlineData("""{"alg":null}""")]
    [InlineData("""{"typ":"JWT"}""")]
    [InlineData("""{"alg":"none","alg":"HS256"}""")]
    [InlineData("""{"alg":"HS256","crit":["b64"],"b64":false}""")]
    [InlineData("""{"alg":"HS256","\ud800":1}""")]
    [InlineData("""{"\ud800":1}""")]
    [InlineData("""{"alg":"HS\ud800"}""")]
    [InlineData("""{"alg":"HS256","typ":"\uDFFF"}""")]
    [InlineData("""{"alg":"HS256","typ":["J",{"a":"\udc00\ud800"}]}""")]
    [InlineData("[]")]
    [InlineData("HS256")]
    [InlineData("")]
    public async Task Only_a_header_that_says_hs256_is_read(string header)
    {
        var node = await StartAsync();

        Assert.Null(await VerifyAsync(node, SignedToken.Make(SignedToken.Claims(clock.GetUtcNow()), Key, header)));
    }

    [Fact]
    public async Task A_changed_token_is_none()
    {
        var node = await StartAsync();
        var parts = Good().Split('.');
        var forged = SignedToken.Encode(SignedToken.Claims(clock.GetUtcNow(), change: claims => claims["scopes"] = new JsonArray("admin")));

        Assert.Null(await VerifyAsync(node, $"{parts[0]}.{forged}.{parts[2]}"));
        Assert.Null(await VerifyAsync(node, $"{SignedToken.Encode("""{"alg":"HS256","x":1}""")}.{parts[1]}.{parts[2]}"));
        Assert.Null(await VerifyAsync(node, $"{SignedToken.Encode("""{"alg":"none"}""")}.{parts[1]}."));
        Assert.Null(await VerifyAsync(node, $"{parts[0]}.{parts[1]}."));
        Assert.Null(await VerifyAsync(node, $"{parts[0]}.{parts[1]}.{new string('A', 43)}"));
        Assert.Null(await VerifyAsync(node, $"{parts[0]}.{parts[1]}.{parts[2]}A"));
        Assert.Null(await VerifyAsync(node, $"{parts[0]}.{parts[1]}.{parts[2]}="));
        Assert.Null(await VerifyAsync(node, $"{parts[0]}.{parts[1]}. {parts[2]}"));
        Assert.Null(await VerifyAsync(node, Good() + " "));
        Assert.NotNull(await VerifyAsync(node, string.Join('.', parts)));
    }

    public static TheoryData<string, string?> WrongClaims => new()
    {
        { "pub", null }, { "pub", "false" }, { "pub", "\"true\"" }, { "pub", "1" },
        { "sub", null }, { "sub", "\"\"" }, { "sub", "7" }, { "sub", "\"\\u0000\"" }, { "sub", "\"\\ud800\"" },
        { "iss", null }, { "iss", "\"https://id.trigger.dev/\"" }, { "iss", "[\"https://id.trigger.dev\"]" },
        { "aud", null }, { "aud", "\"https://id.trigger.dev\"" }, { "aud", "[]" }, { "aud", "[1, null]" }, { "aud", "{}" },
        { "exp", null }, { "exp", "null" }, { "exp", "\"2000000000\"" }, { "exp", "-1" }, { "exp", "0" }, { "exp", "1e999" },
        { "iat", "\"now\"" }, { "nbf", "true" }, { "iat", "1e999" },
        { "scopes", "\"admin\"" }, { "scopes", "[1]" }, { "scopes", "{}" }, { "scopes", "null" }, { "scopes", "[\"\\udfff\"]" },
        { "x", "\"\\ud800\"" }, { "\\ud800", "1" }, { "\\uDBFF\\u0041", "1" }, { "x", "{\"\\udc00\":[\"\\ud800\"]}" },
    };

    [Theory]
    [MemberData(nameof(WrongClaims))]
    public async Task A_token_without_the_right_claims_is_none(string claim, string? json)
    {
        var node = await StartAsync();
        var good = SignedToken.Claims(clock.GetUtcNow(), change: claims => claims.Remove(claim));
        var claims = json is null ? good : $$"""{"{{claim}}":{{json}},{{good[1..]}}""";

        Assert.Null(await VerifyAsync(node, SignedToken.Make(claims, Key)));
    }

    [Fact]
    public async Task Times_are_kept_to_the_second_and_clocks_may_be_five_seconds_ahead()
    {
        var node = await StartAsync();
        var now = clock.GetUtcNow().ToUnixTimeSeconds();

        foreach (var (claim, offset, valid) in new (string, double, bool)[]
        {
            ("exp", 1, true), ("exp", 0.5, true), ("exp", 0, false), ("exp", -1, false), ("exp", -3, false),
            ("iat", 5, true), ("iat", 6, false), ("iat", 1e9, false), ("iat", -1e8, true),
            ("nbf", 5, true), ("nbf", 6, false), ("nbf", 1e9, false), ("nbf", -1e8, true),
            ("exp", 1e15, true),
        })
        {
            var grant = await VerifyAsync(node, Changed(claims => claims[claim] = now + offset));
            Assert.True(valid == grant is not null, $"{claim} {offset}");
        }
        Assert.NotNull(await VerifyAsync(node, Changed(claims => claims.Remove("iat"))));
        Assert.NotNull(await VerifyAsync(node, Changed(claims => claims["aud"] = new JsonArray("x", "https://api.trigger.dev"))));
        Assert.Empty((await VerifyAsync(node, Changed(claims => claims.Remove("scopes"))))!.Scopes);
    }

    [Fact]
    public async Task Garbage_is_no_token()
    {
        var node = await StartAsync();
        var good = Good();
        string[] garbage =
        [
            "", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", good[..^1], good + "." + good, good.Replace('.', ' '), "Bearer " + good, Key, "ä.ö.ü", "\0.\0.\0",
            new('.', 100_000), new('a', 100_000), new string('a', 9000) + "." + good,
            SignedToken.Make(new string('[', 5000), Key), SignedToken.Make("{}", Key), SignedToken.Make("", Key), SignedToken.Make("null", Key),
            SignedToken.Make("""{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}}}}}}}}}}""", Key),
            SignedToken.Make("{\"sub\":\"\ud800\"}", Key), SignedToken.Make(SignedToken.Claims(clock.GetUtcNow())[..^1] + ",\"sub\":\"other\"}", Key),
            Changed(claims => claims["padding"] = new string('x', 8192)),
        ];

        foreach (var text in garbage) Assert.True(await VerifyAsync(node, text) is null, text.Length < 300 ? text : text[..300]);
        var random = new Random(7);
        for (var i = 0; i < 2000; i++)
        {
            var characters = good.ToCharArray();
            characters[random.Next(characters.Length)] = (char)random.Next(1, 0x250);
            var text = new string(characters);
            // The last character of a signature of 32 bytes holds two bits that say nothing.
            if (text[..^1] != good[..^1]) Assert.True(await VerifyAsync(node, text) is null, text);
        }
    }

    [Fact]
    public async Task A_removed_key_verifies_no_more_once_memory_expires_and_an_added_one_within_two_seconds()
    {
        var node = await StartAsync();
        var other = await StartAsync();
        Assert.NotNull(await VerifyAsync(other, Good()));
        Settings["RealtimeStreams:SecretKey"] = "another-secret-key";
        await StartNodeAsync(clock);
        var old = SignedToken.Make(SignedToken.Claims(clock.GetUtcNow()), Key);

        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.NotNull(await VerifyAsync(other, Good(key: "another-secret-key")));
        Assert.Null(await VerifyAsync(other, old));
        Assert.Null(await VerifyAsync(node, old));

        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Null(await VerifyAsync(other, Good()));
        Assert.NotNull(await VerifyAsync(node, (await Tokens(other).IssueAsync(Environment, [], TimeSpan.FromHours(1), "a test", Cancelled)).Token));
    }

    [Fact]
    public async Task A_remembered_key_that_was_removed_is_forgotten_within_a_second()
    {
        var node = await StartAsync();
        Assert.NotNull(await VerifyAsync(node, Good()));
        Settings["RealtimeStreams:SecretKey"] = "another-secret-key";
        await StartNodeAsync(clock);
        Assert.NotNull(await VerifyAsync(node, Good())); // Remembered.

        clock.Advance(TimeSpan.FromSeconds(1));
        await Until.TrueAsync(() => "The token is still taken.", async () => await VerifyAsync(node, Good()) is null);
    }

    [Fact]
    public async Task The_database_holds_keys_only_encrypted_and_one_ring_for_all_nodes()
    {
        Settings["RealtimeStreams:SecretKey"] = Key;
        var nodes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => StartNodeAsync(), Cancelled)));
        var token = SignedToken.Make(SignedToken.Claims(TimeProvider.System.GetUtcNow()), Key);
        await using var context = nodes[0].Services.GetRequiredService<RegistryProvider>().CreateContext();

        var row = await context.SecretKeys.SingleAsync(Cancelled);

        Assert.DoesNotContain(Key, row.Ciphertext, StringComparison.Ordinal);
        Assert.Single(await context.ProtectionKeys.ToListAsync(Cancelled));
        foreach (var node in nodes)
        {
            Assert.True(node.Services.GetRequiredService<SecretKeyProtector>().TryUnprotect(row.Ciphertext, out var key));
            Assert.Equal(Key, key);
            Assert.NotNull(await VerifyAsync(node, token));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("what no ring ever made")]
    public async Task A_key_that_was_stored_before_keys_were_kept_verifies_once_it_has_been_seen(string? ciphertext)
    {
        var node = await StartAsync();
        await using (var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext())
        {
            await AddEnvironmentAsync(node, "old", "a-key-from-before");
            await context.SecretKeys.ExecuteUpdateAsync(set => set.SetProperty(row => row.Ciphertext, ciphertext), Cancelled);
        }
        Assert.Null(await VerifyAsync(node, Good("old", "a-key-from-before")));
        clock.Advance(TimeSpan.FromSeconds(2));

        await node.Services.GetRequiredService<IEnvironments>().FindBySecretKeyAsync("a-key-from-before", Cancelled);

        Assert.NotNull(await VerifyAsync(node, Good("old", "a-key-from-before")));
        Assert.NotNull(await VerifyAsync(await StartAsync(), Good())); // A start sees the configured one.
    }

    private Task<TestNode> StartAsync()
    {
        Settings.TryAdd("RealtimeStreams:SecretKey", Key);
        return StartNodeAsync(clock);
    }

    private string Good(string environment = "default", string key = Key) =>
        SignedToken.Make(SignedToken.Claims(clock.GetUtcNow(), environment), key);

    private string Changed(Action<JsonObject> change) => SignedToken.Make(SignedToken.Claims(clock.GetUtcNow(), change: change), Key);

    private static IAccessTokens Tokens(TestNode node) => node.Services.GetRequiredService<IAccessTokens>();

    private static ValueTask<AccessGrant?> VerifyAsync(TestNode node, string token) => Tokens(node).VerifyAsync(token, Cancelled);

    private static async Task AddEnvironmentAsync(TestNode node, string environment, string key)
    {
        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();
        context.Environments.Add(new StoredEnvironment { Id = environment, CreatedAt = DateTimeOffset.UnixEpoch });
        await context.SaveChangesAsync(Cancelled);
        await AddKeyAsync(node, environment, key);
    }

    private static async Task AddKeyAsync(TestNode node, string environment, string key)
    {
        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();
        context.SecretKeys.Add(new StoredSecretKey
        {
            Environment = environment,
            Id = SecretKeyText.MakeId(),
            Hash = EnvironmentFinder.Digest(key),
            Ciphertext = node.Services.GetRequiredService<SecretKeyProtector>().Protect(key),
            Origin = SecretKeyOrigin.Made,
            CreatedAt = DateTimeOffset.UnixEpoch,
        });
        await context.SaveChangesAsync(Cancelled);
    }
}
