using System.Diagnostics.Metrics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;
using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class SecretKeyLifeOnPostgresTests(PostgresDatabases databases) : SecretKeyLifeContract(databases);

public sealed class SecretKeyLifeOnSqliteTests(SqliteDatabases databases) : SecretKeyLifeContract(databases), IClassFixture<SqliteDatabases>;

public abstract class SecretKeyLifeContract(TestDatabases databases) : RegistryContract(databases)
{
    private const string By = "a test";

    private static readonly EnvironmentId Tenant = EnvironmentId.Parse("tenant/ä");

    [Fact]
    public async Task An_environment_is_made_with_a_key_that_opens_it_and_no_other()
    {
        var node = await StartNodeAsync();

        var made = await MadeAsync(Environments(node).CreateAsync(Tenant, By, Cancelled));

        Assert.Matches("^rssk_[A-Za-z0-9_-]{43}$", made.Secret);
        Assert.Equal(Tenant, await FindAsync(node, made.Secret));
        Assert.Equal(made.Secret[..9], made.Key.Prefix);
        Assert.Equal(SecretKeyOrigin.Issued, made.Key.Origin);
        Assert.True(made.Key.IsValid);
        Assert.DoesNotContain(made.Secret, made.ToString(), StringComparison.Ordinal);
        var all = await Environments(node).ListAsync(Cancelled);
        Assert.Equal([("default", 1), (Tenant.Value, 1)], all.Select(one => (one.Id.Value, one.ValidKeys)));
        Assert.Equal(ErrorCode.EnvironmentExists, await RefusedAsync(Environments(node).CreateAsync(Tenant, By, Cancelled)));
        Assert.Equal([made.Key], await Keys(node).ListAsync(Tenant, Cancelled));
    }

    [Fact]
    public async Task What_is_not_there_is_refused_and_a_key_of_another_environment_is_not_there()
    {
        var node = await StartNodeAsync();
        var made = await MadeAsync(Environments(node).CreateAsync(Tenant, By, Cancelled));
        var nowhere = EnvironmentId.Parse("nowhere");

        Assert.Null(await Keys(node).ListAsync(nowhere, Cancelled));
        Assert.Equal(ErrorCode.EnvironmentNotFound, await RefusedAsync(Keys(node).AddAsync(nowhere, By, Cancelled)));
        Assert.Equal(ErrorCode.EnvironmentNotFound, await RefusedAsync(Keys(node).RotateAsync(nowhere, made.Key.Id, default, By, Cancelled)));
        Assert.Equal(ErrorCode.EnvironmentNotFound, await RefusedAsync(Keys(node).RevokeAsync(nowhere, made.Key.Id, By, Cancelled)));
        foreach (var foreign in (string[])[made.Key.Id, "", "key_\0", made.Secret])
        {
            Assert.Equal(ErrorCode.KeyNotFound, await RefusedAsync(Keys(node).RotateAsync(Environment, foreign, default, By, Cancelled)));
            Assert.Equal(ErrorCode.KeyNotFound, await RefusedAsync(Keys(node).RevokeAsync(Environment, foreign, By, Cancelled)));
        }
        Assert.NotNull(await FindAsync(node, made.Secret));
    }

    [Fact]
    public async Task A_rotated_key_opens_until_the_stated_time_and_not_a_moment_longer()
    {
        var clock = new FakeTimeProvider();
        var node = await StartNodeAsync(clock);
        var old = await MadeAsync(Environments(node).CreateAsync(Tenant, By, Cancelled));
        var overlap = TimeSpan.FromSeconds(10); // Shorter than what is remembered.
        clock.Advance(TimeSpan.FromMilliseconds(1)); // The list is by age.

        var made = await MadeAsync(Keys(node).RotateAsync(Tenant, old.Key.Id, overlap, By, Cancelled));

        Assert.Equal(clock.GetUtcNow() + overlap, made.Replaced!.ExpiresAt);
        Assert.Equal(Tenant, await FindAsync(node, old.Secret));
        Assert.Equal(Tenant, await FindAsync(node, made.Secret));
        var token = await SignAsync(node, clock, old.Secret);
        Assert.True(await IsValidAsync(node, token));

        clock.Advance(overlap - TimeSpan.FromMilliseconds(1));
        Assert.Equal(Tenant, await FindAsync(node, old.Secret));
        Assert.True(await IsValidAsync(node, token));

        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(await FindAsync(node, old.Secret));
        Assert.False(await IsValidAsync(node, token));
        Assert.Equal(Tenant, await FindAsync(node, made.Secret));
        Assert.Equal([false, true], (await Keys(node).ListAsync(Tenant, Cancelled))!.Select(key => key.IsValid));
        Assert.Equal(ErrorCode.KeyNotFound, await RefusedAsync(Keys(node).RotateAsync(Tenant, old.Key.Id, overlap, By, Cancelled)));
    }

    [Fact]
    public async Task Rotating_twice_never_prolongs_the_first_key_and_without_overlap_ends_it_now()
    {
        var clock = new FakeTimeProvider();
        var node = await StartNodeAsync(clock);
        var old = await MadeAsync(Environments(node).CreateAsync(Tenant, By, Cancelled));
        var first = await MadeAsync(Keys(node).RotateAsync(Tenant, old.Key.Id, TimeSpan.FromMinutes(1), By, Cancelled));

        var again = await MadeAsync(Keys(node).RotateAsync(Tenant, old.Key.Id, TimeSpan.FromHours(1), By, Cancelled));
        Assert.Equal(first.Replaced!.ExpiresAt, again.Replaced!.ExpiresAt);

        await MadeAsync(Keys(node).RotateAsync(Tenant, old.Key.Id, TimeSpan.Zero, By, Cancelled));
        Assert.Null(await FindAsync(node, old.Secret));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Keys(node).RotateAsync(Tenant, first.Key.Id, TimeSpan.FromTicks(-1), By, Cancelled));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => Keys(node).RotateAsync(Tenant, first.Key.Id, ISecretKeys.MaxOverlap + TimeSpan.FromTicks(1), By, Cancelled));
    }

    [Fact]
    public async Task A_revoked_key_and_the_tokens_that_it_signed_open_nothing_and_its_ciphertext_is_gone()
    {
        var clock = new FakeTimeProvider();
        var node = await StartNodeAsync(clock);
        var made = await MadeAsync(Environments(node).CreateAsync(Tenant, By, Cancelled));
        var other = await MadeAsync(Keys(node).AddAsync(Tenant, By, Cancelled));
        var token = await SignAsync(node, clock, made.Secret);
        Assert.NotNull(await FindAsync(node, made.Secret));
        Assert.True(await IsValidAsync(node, token));

        var revoked = Assert.IsType<SecretKeyOutcome.Revoked>(await Keys(node).RevokeAsync(Tenant, made.Key.Id, By, Cancelled));

        Assert.False(revoked.Key.IsValid);
        Assert.Null(await FindAsync(node, made.Secret));
        Assert.False(await IsValidAsync(node, token));
        Assert.NotNull(await FindAsync(node, other.Secret));
        Assert.Equal(revoked, await Keys(node).RevokeAsync(Tenant, made.Key.Id, By, Cancelled)); // Again.
        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();
        Assert.Null((await context.SecretKeys.SingleAsync(row => row.Id == made.Key.Id, Cancelled)).Ciphertext);
    }

    [Fact]
    public async Task A_server_that_hears_no_announcements_follows_a_revocation_within_a_second_by_looking()
    {
        var clock = new FakeTimeProvider();
        var first = await StartNodeAsync(clock);
        var second = await StartNodeAsync(clock);
        var made = await MadeAsync(Environments(first).CreateAsync(Tenant, By, Cancelled));
        var token = await SignAsync(first, clock, made.Secret);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.NotNull(await FindAsync(second, made.Secret));
        Assert.True(await IsValidAsync(second, token));

        await Keys(first).RevokeAsync(Tenant, made.Key.Id, By, Cancelled);

        var since = clock.GetUtcNow();
        clock.Advance(TimeSpan.FromSeconds(1));
        await Until.TrueAsync(() => "The other server still takes the key.", async () => await FindAsync(second, made.Secret) is null, TimeSpan.FromSeconds(30));
        Assert.False(await IsValidAsync(second, token));
        Assert.Equal(TimeSpan.FromSeconds(1), clock.GetUtcNow() - since);
    }

    [Fact]
    public async Task A_server_that_hears_an_announcement_forgets_at_once()
    {
        var clock = new FakeTimeProvider(); // Which stands still, so that nobody looks.
        var node = await StartNodeAsync(clock);
        var deaf = await StartNodeAsync(clock);
        var made = await MadeAsync(Environments(deaf).CreateAsync(Tenant, By, Cancelled));
        Assert.NotNull(await FindAsync(node, made.Secret));
        await Keys(deaf).RevokeAsync(Tenant, made.Key.Id, By, Cancelled);
        Assert.NotNull(await FindAsync(node, made.Secret)); // Remembered.

        await node.Services.GetRequiredService<IRegistryAnnouncements>()
            .PublishAsync(new RegistryChange(RegistryChangeKind.CredentialsChanged, Tenant, default), Cancelled);

        Assert.Null(await FindAsync(node, made.Secret));
    }

    [Fact]
    public async Task An_environment_has_at_most_twenty_valid_keys_however_many_ask_at_once()
    {
        var first = await StartNodeAsync();
        var second = await StartNodeAsync();
        await MadeAsync(Environments(first).CreateAsync(Tenant, By, Cancelled));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => Keys(i % 2 == 0 ? first : second).AddAsync(Tenant, By, Cancelled)));

        Assert.Equal(19, outcomes.Count(outcome => outcome is SecretKeyOutcome.Made));
        Assert.All(outcomes.OfType<SecretKeyOutcome.Refused>(), refused => Assert.Equal(ErrorCode.LimitReached, refused.Refusal.Code));
        var listed = (await Keys(first).ListAsync(Tenant, Cancelled))!;
        Assert.Equal(20, listed.Count);
        await Keys(first).RevokeAsync(Tenant, listed[0].Id, By, Cancelled);
        await MadeAsync(Keys(first).AddAsync(Tenant, By, Cancelled));
    }

    [Fact]
    public async Task The_configured_key_is_changed_by_configuration_alone_and_leaves_keys_of_operators_as_they_are()
    {
        Settings["RealtimeStreams:SecretKey"] = "a-configured-secret-key";
        var node = await StartNodeAsync();
        var configured = Assert.Single((await Keys(node).ListAsync(Environment, Cancelled))!);
        Assert.Equal((SecretKeyOrigin.Configured, "a-co"), (configured.Origin, configured.Prefix));

        Assert.Equal(ErrorCode.KeyIsConfigured, await RefusedAsync(Keys(node).RotateAsync(Environment, configured.Id, default, By, Cancelled)));
        Assert.Equal(ErrorCode.KeyIsConfigured, await RefusedAsync(Keys(node).RevokeAsync(Environment, configured.Id, By, Cancelled)));
        var added = await MadeAsync(Keys(node).AddAsync(Environment, By, Cancelled));
        Settings["RealtimeStreams:SecretKey"] = "another-configured-secret-key";
        var later = await StartNodeAsync();

        Assert.Null(await FindAsync(later, "a-configured-secret-key"));
        Assert.Equal(Environment, await FindAsync(later, "another-configured-secret-key"));
        Assert.Equal(Environment, await FindAsync(later, added.Secret));

        await Keys(node).RevokeAsync(Environment, added.Key.Id, By, Cancelled);
        Settings["RealtimeStreams:SecretKey"] = added.Secret;
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => StartNodeAsync());
        Assert.DoesNotContain(added.Secret, refusal.ToString(), StringComparison.Ordinal);
        Settings["RealtimeStreams:SecretKey"] = (await MadeAsync(Environments(node).CreateAsync(Tenant, By, Cancelled))).Secret;
        await Assert.ThrowsAsync<InvalidOperationException>(() => StartNodeAsync());
    }

    [Fact]
    public async Task A_made_key_that_was_revoked_stays_so_and_the_next_start_makes_another()
    {
        var node = await StartNodeAsync();
        var made = await node.Services.GetRequiredService<IDefaultSecretKey>().GetAsync(Cancelled);
        var entry = Assert.Single((await Keys(node).ListAsync(Environment, Cancelled))!);
        Assert.IsType<SecretKeyOutcome.Revoked>(await Keys(node).RevokeAsync(Environment, entry.Id, By, Cancelled));

        var later = await StartNodeAsync();

        var another = await later.Services.GetRequiredService<IDefaultSecretKey>().GetAsync(Cancelled);
        Assert.NotEqual(made, another);
        Assert.Null(await FindAsync(later, made));
        Assert.Equal(Environment, await FindAsync(later, another));
    }

    [Fact]
    public async Task Changes_are_logged_with_environment_key_and_who_and_nothing_that_is_logged_or_stored_holds_a_key()
    {
        var logs = FakeLogCollector.Create(new FakeLogCollectorOptions());
        var node = await StartNodeAsync(configure: services => services.AddLogging(
            logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new FakeLoggerProvider(logs))));
        var first = await MadeAsync(Environments(node).CreateAsync(Tenant, By, Cancelled));
        var second = await MadeAsync(Keys(node).AddAsync(Tenant, By, Cancelled));
        var third = await MadeAsync(Keys(node).RotateAsync(Tenant, first.Key.Id, TimeSpan.FromHours(1), By, Cancelled));
        await Keys(node).RevokeAsync(Tenant, second.Key.Id, By, Cancelled);
        await Keys(node).RevokeAsync(Tenant, second.Key.Id, By, Cancelled); // Changes nothing, and so is not told.
        await FindAsync(node, third.Secret);

        var told = logs.GetSnapshot().Where(log => log.Id.Id is >= 1430 and <= 1433).ToList();
        Assert.Equal([1430, 1431, 1432, 1433], told.Select(log => log.Id.Id));
        Assert.Equal([first.Key.Id, second.Key.Id, first.Key.Id, second.Key.Id], told.Select(log => log.GetStructuredStateValue("KeyId")));
        Assert.Equal(third.Key.Id, told[2].GetStructuredStateValue("NewKeyId"));
        Assert.All(told, log => Assert.Equal((LogLevel.Information, By, Tenant.Value), (log.Level, log.GetStructuredStateValue("By"), log.GetStructuredStateValue("Environment"))));
        foreach (var secret in (string[])[first.Secret, second.Secret, third.Secret])
        {
            // The random part, lest a shortened form went through.
            Assert.DoesNotContain(logs.GetSnapshot(), log => log.Message.Contains(secret[9..30], StringComparison.Ordinal));
            await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();
            Assert.DoesNotContain(await context.SecretKeys.ToListAsync(Cancelled), row => row.Ciphertext?.Contains(secret[9..30], StringComparison.Ordinal) == true);
        }
    }

    [Fact]
    public async Task Keys_that_open_nothing_are_counted_by_the_reason()
    {
        var clock = new FakeTimeProvider();
        var node = await StartNodeAsync(clock);
        var made = await MadeAsync(Environments(node).CreateAsync(Tenant, By, Cancelled));
        var revoked = await MadeAsync(Keys(node).AddAsync(Tenant, By, Cancelled));
        await Keys(node).RevokeAsync(Tenant, revoked.Key.Id, By, Cancelled);
        var added = await MadeAsync(Keys(node).RotateAsync(Tenant, made.Key.Id, TimeSpan.Zero, By, Cancelled));
        using var counted = new MetricCollector<long>(
            node.Services.GetRequiredService<IMeterFactory>(), "RealtimeStreams.RunRegistry", "realtimestreams.runregistry.secret_keys.refused");

        foreach (var key in (string[])["garbage", revoked.Secret, made.Secret, "", added.Secret]) await FindAsync(node, key);

        Assert.Equal(["unknown", "revoked", "expired", "malformed"], counted.GetMeasurementSnapshot().Select(one => one.Tags["reason"]));
    }

    private static IEnvironments Environments(TestNode node) => node.Services.GetRequiredService<IEnvironments>();

    private static ISecretKeys Keys(TestNode node) => node.Services.GetRequiredService<ISecretKeys>();

    private static async Task<EnvironmentId?> FindAsync(TestNode node, string key) => await Environments(node).FindBySecretKeyAsync(key, Cancelled);

    private static async Task<SecretKeyOutcome.Made> MadeAsync(Task<SecretKeyOutcome> outcome) => Assert.IsType<SecretKeyOutcome.Made>(await outcome);

    private static async Task<ErrorCode> RefusedAsync(Task<SecretKeyOutcome> outcome) => Assert.IsType<SecretKeyOutcome.Refused>(await outcome).Refusal.Code;

    private static async Task<bool> IsValidAsync(TestNode node, string token) =>
        await node.Services.GetRequiredService<IAccessTokens>().VerifyAsync(token, Cancelled) is not null;

    /// <summary>A token as a client signs it, once the server is seen to take it.</summary>
    private static async Task<string> SignAsync(TestNode node, FakeTimeProvider clock, string key)
    {
        var token = SignedToken.Make(SignedToken.Claims(clock.GetUtcNow(), Tenant.Value), key);
        Assert.True(await IsValidAsync(node, token));
        return token;
    }
}
