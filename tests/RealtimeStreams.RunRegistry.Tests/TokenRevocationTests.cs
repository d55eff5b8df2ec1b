using System.Diagnostics.Metrics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.AccessTokens;
using RealtimeStreams.RunRegistry.Setup;
using RealtimeStreams.RunRegistry.Storing;
using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class TokenRevocationOnPostgresTests(PostgresDatabases databases) : TokenRevocationContract(databases);

public sealed class TokenRevocationOnSqliteTests(SqliteDatabases databases) : TokenRevocationContract(databases), IClassFixture<SqliteDatabases>;

public abstract class TokenRevocationContract(TestDatabases databases) : RegistryContract(databases)
{
    private const string Key = "a-configured-secret-key";

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    private readonly InProcessAnnouncements announcements = new();
    private readonly Dictionary<IAccessTokens, TestNode> nodes = [];
    private TestNode? first;

    [Fact]
    public async Task A_revoked_token_is_refused_at_once_where_it_was_revoked_and_others_are_not()
    {
        var tokens = await StartAsync();
        var (revoked, other) = (await IssueAsync(tokens), await IssueAsync(tokens));

        Assert.Null(await tokens.RevokeAsync(Environment, revoked.Id, "a test", Cancelled));
        Assert.Null(await tokens.RevokeAsync(Environment, revoked.Id, "a test", Cancelled)); // Again.

        Assert.Null(await tokens.VerifyAsync(revoked.Token, Cancelled));
        Assert.NotNull(await tokens.VerifyAsync(other.Token, Cancelled));
        Assert.NotNull(await tokens.VerifyAsync(Signed(), Cancelled));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Another_node_ends_what_a_revoked_token_has_open(bool isAnnounced)
    {
        var tokens = await StartAsync();
        var elsewhere = await StartAsync(isAnnounced);
        var issued = await IssueAsync(tokens);
        using var watch = await WatchAsync(elsewhere, issued.Token);
        using var other = await WatchAsync(elsewhere, Signed());

        await tokens.RevokeAsync(Environment, issued.Id, "a test", Cancelled);

        // With an announcement no time goes by; without one the other node looks twice a second.
        var began = clock.GetUtcNow();
        await Until.TrueAsync(() => "the watch has not ended", () =>
        {
            if (!isAnnounced && clock.GetUtcNow() - began < TimeSpan.FromSeconds(1)) clock.Advance(TimeSpan.FromMilliseconds(100));
            return watch.Ended.IsCancellationRequested;
        });
        Assert.Equal(AccessEnd.Revoked, watch.End);
        Assert.Null(other.End);
        Assert.Null(await elsewhere.VerifyAsync(issued.Token, Cancelled));
    }

    [Fact]
    public async Task Tokens_in_use_cost_no_query_while_nothing_is_revoked()
    {
        var tokens = await StartAsync();
        using var watch = await WatchAsync(tokens, (await IssueAsync(tokens)).Token);
        using var queries = new MetricCollector<double>(
            nodes[tokens].Services.GetRequiredService<IMeterFactory>(), "RealtimeStreams.RunRegistry", "realtimestreams.runregistry.operation.duration");

        // A whole read after 30 s shows that rounds went by.
        await Until.TrueAsync(() => "no round has gone by", () =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(500));
            return Operations().Contains("find_token_revocations");
        });

        Assert.True(Operations().Count(name => name is "find_token_revocations" or "find_new_token_revocations") <= 2, string.Join(", ", Operations()));
        Assert.Null(watch.End);
        IEnumerable<object?> Operations() => queries.GetMeasurementSnapshot().Select(measured => measured.Tags["operation"]);
    }

    [Fact]
    public async Task All_tokens_that_were_made_until_now_are_revoked_whoever_made_them()
    {
        var tokens = await StartAsync();
        var elsewhere = await StartAsync();
        var issued = await IssueAsync(tokens);
        string[] old = [issued.Token, Signed(), Signed(claims => claims.Remove("iat"))];
        foreach (var token in old) Assert.NotNull(await elsewhere.VerifyAsync(token, Cancelled));
        using var watch = await WatchAsync(elsewhere, old[1]);

        var until = await tokens.RevokeAllAsync(Environment, "a test", Cancelled);

        Assert.Equal(clock.GetUtcNow(), until);
        foreach (var token in old) Assert.Null(await tokens.VerifyAsync(token, Cancelled));
        Assert.NotNull(await tokens.VerifyAsync((await IssueAsync(tokens)).Token, Cancelled)); // In the same second, but later.
        await Until.TrueAsync(() => "the watch has not ended", () => watch.Ended.IsCancellationRequested);
        foreach (var token in old) Assert.Null(await elsewhere.VerifyAsync(token, Cancelled));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(await elsewhere.VerifyAsync(Signed(), Cancelled));

        // A server that starts later knows it too, and a second revocation replaces the first.
        await tokens.RevokeAllAsync(Environment, "a test", Cancelled);
        Assert.Null(await (await StartAsync()).VerifyAsync(old[0], Cancelled));
        Assert.Equal(1, await CountRowsAsync());
    }

    [Fact]
    public async Task A_grant_in_use_ends_when_its_time_is_over()
    {
        var tokens = await StartAsync();
        var issued = await IssueAsync(tokens);
        using var watch = await WatchAsync(tokens, issued.Token);

        clock.Advance(issued.ExpiresAt - clock.GetUtcNow() - TimeSpan.FromMilliseconds(1));
        Assert.Null(watch.End);
        clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(AccessEnd.Expired, watch.End);
        await Until.TrueAsync(() => "nobody was told", () => watch.Ended.IsCancellationRequested);
    }

    [Fact]
    public void A_grant_for_years_outlasts_every_timer()
    {
        using var watch = new AccessWatch(new Credential(Environment, new AccessGrant(Environment, [], clock.GetUtcNow().AddDays(100))), clock, _ => { });
        using var forever = new AccessWatch(new Credential(Environment, new AccessGrant(Environment, [], DateTimeOffset.MaxValue)), clock, _ => { });

        clock.Advance(TimeSpan.FromDays(100) - TimeSpan.FromMilliseconds(1));
        Assert.Null(watch.End);
        clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(AccessEnd.Expired, watch.End);
        Assert.Null(forever.End);
    }

    [Fact]
    public async Task The_row_of_a_revoked_token_goes_after_the_token_has_expired()
    {
        var tokens = await StartAsync();
        var issued = await IssueAsync(tokens);
        await tokens.RevokeAsync(Environment, issued.Id, "a test", Cancelled);
        await tokens.RevokeAllAsync(Environment, "a test", Cancelled);
        Assert.Equal(2, await CountRowsAsync());

        clock.Advance(TimeSpan.FromMinutes(16));
        await Until.TrueAsync(() => "the row is still there", async () =>
        {
            clock.Advance(TimeSpan.FromSeconds(30));
            return await CountRowsAsync() == 1;
        });

        Assert.Null(await tokens.RevokeAsync(Environment, issued.Id, "a test", Cancelled)); // Changes nothing.
        Assert.Equal(1, await CountRowsAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("tok_")]
    [InlineData("tok_6927_x")]
    [InlineData("tok_06927a000_00112233445566778899aabbccddeeff")]
    [InlineData("tok_6927A000_00112233445566778899aabbccddeeff")]
    [InlineData("tok_6927a000_00112233445566778899aabbccddeef")]
    [InlineData("tok_ffffffffffffffff_00112233445566778899aabbccddeeff")]
    public async Task An_id_that_no_token_can_have_is_not_found(string id)
    {
        var tokens = await StartAsync();

        Assert.Equal(ErrorCode.NotFound, (await tokens.RevokeAsync(Environment, id, "a test", Cancelled))!.Code);
        Assert.Equal(0, await CountRowsAsync());
    }

    [Fact]
    public async Task An_id_that_would_let_a_revocation_be_forgotten_before_the_token_expires_makes_no_token()
    {
        var tokens = await StartAsync();
        var until = clock.GetUtcNow().AddMinutes(15);

        Assert.NotNull(await tokens.VerifyAsync(Signed(claims => claims["jti"] = TokenIds.Make(until)), Cancelled));
        Assert.Null(await tokens.VerifyAsync(Signed(claims => claims["jti"] = TokenIds.Make(until.AddSeconds(-1))), Cancelled));
        Assert.NotNull(await tokens.VerifyAsync(Signed(claims => claims["jti"] = "an id of the client's own"), Cancelled));
    }

    private async Task<IAccessWatch> WatchAsync(IAccessTokens at, string token)
    {
        var credentials = nodes[at].Services.GetRequiredService<ICredentials>();
        return credentials.Watch((await credentials.FindAsync(token, Cancelled))!);
    }

    private static ValueTask<IssuedToken> IssueAsync(IAccessTokens tokens) =>
        tokens.IssueAsync(Environment, ["read:runs:run_1"], TimeSpan.FromMinutes(15), "a test", Cancelled);

    private string Signed(Action<System.Text.Json.Nodes.JsonObject>? change = null) =>
        SignedToken.Make(SignedToken.Claims(clock.GetUtcNow(), change: change), Key);

    private Task<int> CountRowsAsync() => first!.Services.GetRequiredService<RegistryDatabase>()
        .ReadAsync("count", (context, token) => context.TokenRevocations.CountAsync(token), Cancelled);

    private async Task<IAccessTokens> StartAsync(bool isAnnounced = true)
    {
        Settings["RealtimeStreams:SecretKey"] = Key;
        var node = await StartNodeAsync(clock, services =>
        {
            if (isAnnounced) services.AddSingleton<IRegistryAnnouncements>(announcements);
        });
        first ??= node;
        var tokens = node.Services.GetRequiredService<IAccessTokens>();
        nodes[tokens] = node;
        return tokens;
    }
}
