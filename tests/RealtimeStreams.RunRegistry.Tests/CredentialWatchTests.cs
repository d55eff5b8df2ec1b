using System.Diagnostics.Metrics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Setup;
using RealtimeStreams.RunRegistry.Storing;
using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class CredentialWatchOnPostgresTests(PostgresDatabases databases) : CredentialWatchContract(databases);

public sealed class CredentialWatchOnSqliteTests(SqliteDatabases databases) : CredentialWatchContract(databases), IClassFixture<SqliteDatabases>;

/// <summary>What goes on with a secret key, or with a token that it signed, ends with the key.</summary>
public abstract class CredentialWatchContract(TestDatabases databases) : RegistryContract(databases)
{
    private const string By = "a test";

    private static readonly EnvironmentId Tenant = EnvironmentId.Parse("tenant");

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    private readonly InProcessAnnouncements announcements = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_revoked_key_ends_what_goes_on_with_it_and_with_its_tokens_on_every_node(bool isAnnounced)
    {
        var (here, there) = (await StartAsync(), await StartAsync(isAnnounced));
        var (doomed, other) = await MakeKeysAsync(here);
        using var own = await WatchAsync(here, doomed.Secret);
        using var elsewhere = await WatchAsync(there, doomed.Secret);
        using var token = await WatchAsync(there, Signed(doomed.Secret));
        using var otherKey = await WatchAsync(there, other.Secret);
        using var otherToken = await WatchAsync(there, Signed(other.Secret));

        await Keys(here).RevokeAsync(Tenant, doomed.Key.Id, By, Cancelled);

        // With an announcement no time goes by; without one the other node looks twice a second.
        var began = clock.GetUtcNow();
        await Until.TrueAsync(() => $"not all have ended: {own.End}, {elsewhere.End}, {token.End}", () =>
        {
            if (!isAnnounced && clock.GetUtcNow() - began < TimeSpan.FromSeconds(1)) clock.Advance(TimeSpan.FromMilliseconds(100));
            return own.Ended.IsCancellationRequested && elsewhere.Ended.IsCancellationRequested && token.Ended.IsCancellationRequested;
        });
        Assert.Equal([AccessEnd.Revoked, AccessEnd.Revoked, AccessEnd.Revoked], new[] { own, elsewhere, token }.Select(watch => watch.End!.Value));
        Assert.Equal((null, null), (otherKey.End, otherToken.End));
    }

    [Fact]
    public async Task A_rotated_key_ends_what_goes_on_with_it_when_its_overlap_is_over_and_not_before()
    {
        var node = await StartAsync();
        var (old, _) = await MakeKeysAsync(node);
        using var key = await WatchAsync(node, old.Secret);
        using var token = await WatchAsync(node, Signed(old.Secret));

        var made = Assert.IsType<SecretKeyOutcome.Made>(await Keys(node).RotateAsync(Tenant, old.Key.Id, TimeSpan.FromMinutes(1), By, Cancelled));
        using var rotated = await WatchAsync(node, old.Secret); // Knows of the end from its beginning.
        clock.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromMilliseconds(1));
        Assert.Equal((null, null, null), (key.End, token.End, rotated.End));

        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(AccessEnd.Expired, rotated.End);
        await Until.TrueAsync(() => $"not all have ended: {key.End}, {token.End}", () =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(100)); // The change may have been looked at only just now.
            return key.End == AccessEnd.Expired && token.End == AccessEnd.Expired;
        });
        using var next = await WatchAsync(node, made.Secret);
        Assert.Null(next.End);
    }

    [Fact]
    public async Task A_key_that_is_revoked_between_being_found_and_being_watched_ends_all_the_same()
    {
        var node = await StartAsync();
        var (doomed, _) = await MakeKeysAsync(node);
        var credentials = node.Services.GetRequiredService<ICredentials>();
        var found = (await credentials.FindAsync(doomed.Secret, Cancelled))!;

        await Keys(node).RevokeAsync(Tenant, doomed.Key.Id, By, Cancelled);
        using var watch = credentials.Watch(found);

        await Until.TrueAsync(() => "the watch has not ended", () => watch.End == AccessEnd.Revoked);
    }

    [Fact]
    public async Task A_configured_key_that_another_replaces_ends_what_goes_on_with_it()
    {
        Settings["RealtimeStreams:SecretKey"] = "a-configured-secret-key";
        var node = await StartAsync();
        using var watch = await WatchAsync(node, "a-configured-secret-key");
        Settings["RealtimeStreams:SecretKey"] = "another-configured-secret-key";

        await StartAsync(isAnnounced: false);

        var began = clock.GetUtcNow();
        await Until.TrueAsync(() => "the watch has not ended", () =>
        {
            if (clock.GetUtcNow() - began < TimeSpan.FromSeconds(1)) clock.Advance(TimeSpan.FromMilliseconds(100));
            return watch.End == AccessEnd.Revoked;
        });
    }

    [Fact]
    public async Task A_look_that_fails_for_whatever_reason_is_followed_by_the_next()
    {
        var node = await StartAsync();
        var logs = FakeLogCollector.Create(new FakeLogCollectorOptions());
        var deaf = await StartNodeAsync(clock, services => services.AddLogging(logging => logging.AddProvider(new FakeLoggerProvider(logs))));
        var (doomed, _) = await MakeKeysAsync(node);
        using var watch = await WatchAsync(deaf, doomed.Secret);
        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();
        var rows = await context.CredentialVersions.AsNoTracking().ToListAsync(Cancelled);
        await context.CredentialVersions.ExecuteDeleteAsync(Cancelled); // No look is prepared for that.
        await Until.TrueAsync(() => "no look has failed", () =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(100));
            return logs.GetSnapshot().Any(line => line.Id == 1435);
        });
        context.CredentialVersions.AddRange(rows);
        await context.SaveChangesAsync(Cancelled);

        await Keys(node).RevokeAsync(Tenant, doomed.Key.Id, By, Cancelled);

        await Until.TrueAsync(() => "the watch has not ended", () =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(100));
            return watch.End == AccessEnd.Revoked;
        });
        Assert.False(deaf.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);
    }

    [Fact]
    public async Task Refused_tokens_are_counted_by_reason_and_keys_are_not_counted_among_them()
    {
        var node = await StartAsync();
        var (key, _) = await MakeKeysAsync(node);
        var credentials = node.Services.GetRequiredService<ICredentials>();
        var tokens = node.Services.GetRequiredService<IAccessTokens>();
        using var refusals = new MetricCollector<long>(
            node.Services.GetRequiredService<IMeterFactory>(), "RealtimeStreams.RunRegistry", "realtimestreams.runregistry.access_tokens.refused");
        var now = clock.GetUtcNow();
        var revoked = await tokens.IssueAsync(Tenant, ["read:runs"], TimeSpan.FromMinutes(1), "a test", Cancelled);
        await tokens.RevokeAsync(Tenant, revoked.Id, "a test", Cancelled);

        string[] refused =
        [
            "a.b.c",
            Signed(key.Secret, claims => claims["exp"] = now.ToUnixTimeSeconds()),
            Signed(key.Secret, claims => claims["nbf"] = now.AddMinutes(1).ToUnixTimeSeconds()),
            Signed("the key of another server"),
            Signed(key.Secret, claims => claims["sub"] = "another"),
            revoked.Token,
        ];
        foreach (var token in refused) Assert.Null(await credentials.FindAsync(token, Cancelled));
        credentials.CountForbidden();
        Assert.Null(await credentials.FindAsync("no token", Cancelled));
        Assert.NotNull(await credentials.FindAsync(key.Secret, Cancelled));

        Assert.Equal(
            ["malformed", "expired", "not_yet_valid", "bad_signature", "bad_signature", "revoked", "wrong_scope"],
            refusals.GetMeasurementSnapshot().Select(measured => measured.Tags["reason"]));
    }

    private static ISecretKeys Keys(TestNode node) => node.Services.GetRequiredService<ISecretKeys>();

    private static async Task<IAccessWatch> WatchAsync(TestNode node, string credential)
    {
        var credentials = node.Services.GetRequiredService<ICredentials>();
        return credentials.Watch((await credentials.FindAsync(credential, Cancelled))!);
    }

    private static async Task<(SecretKeyOutcome.Made, SecretKeyOutcome.Made)> MakeKeysAsync(TestNode node) => (
        Assert.IsType<SecretKeyOutcome.Made>(await node.Services.GetRequiredService<IEnvironments>().CreateAsync(Tenant, By, Cancelled)),
        Assert.IsType<SecretKeyOutcome.Made>(await Keys(node).AddAsync(Tenant, By, Cancelled)));

    private string Signed(string key, Action<System.Text.Json.Nodes.JsonObject>? change = null) =>
        SignedToken.Make(
            SignedToken.Claims(clock.GetUtcNow(), change: claims =>
            {
                claims["sub"] = Tenant.Value;
                change?.Invoke(claims);
            }),
            key);

    private Task<TestNode> StartAsync(bool isAnnounced = true) => StartNodeAsync(clock, services =>
    {
        if (isAnnounced) services.AddSingleton<IRegistryAnnouncements>(announcements);
    });
}
