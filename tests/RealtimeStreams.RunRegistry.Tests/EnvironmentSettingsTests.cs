using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;
using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class EnvironmentSettingsOnPostgresTests(PostgresDatabases databases) : EnvironmentSettingsContract(databases);

public sealed class EnvironmentSettingsOnSqliteTests(SqliteDatabases databases) : EnvironmentSettingsContract(databases), IClassFixture<SqliteDatabases>;

public abstract class EnvironmentSettingsContract(TestDatabases databases) : RegistryContract(databases)
{
    private const string By = "a test";
    private const string Retention = "retentionInSeconds";

    private static readonly EnvironmentId Nowhere = EnvironmentId.Parse("nowhere");

    [Fact]
    public async Task What_is_set_is_read_at_once_and_after_a_restart_and_what_is_taken_back_is_the_servers_own_again()
    {
        var node = await StartNodeAsync();
        Assert.Equal(EnvironmentSettings.None, KeptIn(node).Find(Environment));

        var changed = await ChangedAsync(node, (Retention, 3600));

        Assert.Equal(3600, changed.Settings[Retention]);
        Assert.Equal(TimeSpan.FromHours(1), KeptIn(node).Find(Environment).Retention);
        Assert.Equal(EnvironmentSettings.None, KeptIn(node).Find(Nowhere));
        var later = await StartNodeAsync();
        Assert.Equal(TimeSpan.FromHours(1), KeptIn(later).Find(Environment).Retention);
        Assert.Equal(3600, (await Environments(later).FindAsync(Environment, Cancelled))!.Settings[Retention]);
        Assert.Equal(3600, Assert.Single(await Environments(later).ListAsync(Cancelled)).Settings[Retention]);

        Assert.Empty((await ChangedAsync(node, (Retention, null))).Settings);
        Assert.Null(KeptIn(node).Find(Environment).Retention);
        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();
        Assert.Null((await context.Environments.SingleAsync(Cancelled)).Settings);
    }

    [Theory]
    [InlineData(59)]
    [InlineData(28L * 24 * 3600 + 1)]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    public async Task A_value_out_of_its_bounds_is_refused_with_its_name_and_bounds_and_changes_nothing(long value)
    {
        var node = await StartNodeAsync();
        await ChangedAsync(node, (Retention, 3600));

        var refused = Assert.IsType<EnvironmentSettingsOutcome.Refused>(await ChangeAsync(node, Environment, (Retention, value)));

        Assert.Equal((ErrorCode.InvalidRequest, Retention), (refused.Refusal.Code, refused.Field));
        Assert.Contains("retentionInSeconds must be a whole number of seconds from 60 to 2419200", refused.Refusal.Detail, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromHours(1), KeptIn(node).Find(Environment).Retention);
    }

    [Fact]
    public async Task Nothing_is_kept_longer_than_the_log_keeps_it()
    {
        Settings["RealtimeStreams:Retention"] = "00:10:00";
        var node = await StartNodeAsync();

        Assert.IsType<EnvironmentSettingsOutcome.Refused>(await ChangeAsync(node, Environment, (Retention, 601)));
        await ChangedAsync(node, (Retention, 600));
    }

    [Fact]
    public async Task An_unknown_setting_or_environment_is_refused_and_nothing_of_the_change_is_made()
    {
        var node = await StartNodeAsync();

        var unknown = Assert.IsType<EnvironmentSettingsOutcome.Refused>(await ChangeAsync(node, Environment, (Retention, 60), ("colour", 1)));
        var missing = Assert.IsType<EnvironmentSettingsOutcome.Refused>(await ChangeAsync(node, Nowhere, (Retention, 60)));

        Assert.Equal(ErrorCode.InvalidRequest, unknown.Refusal.Code);
        Assert.Contains(Retention, unknown.Refusal.Detail, StringComparison.Ordinal);
        Assert.Equal(ErrorCode.EnvironmentNotFound, missing.Refusal.Code);
        Assert.Null(await Environments(node).FindAsync(Nowhere, Cancelled));
        Assert.Equal(EnvironmentSettings.None, KeptIn(node).Find(Environment));
    }

    [Fact]
    public async Task Another_server_follows_within_a_second_by_looking()
    {
        var clock = new FakeTimeProvider();
        var node = await StartNodeAsync(clock);
        var deaf = await StartNodeAsync(clock);

        await ChangedAsync(node, (Retention, 60));

        Assert.Null(KeptIn(deaf).Find(Environment).Retention); // Time stands still, so that it has not looked.
        clock.Advance(TimeSpan.FromSeconds(1));
        await Until.TrueAsync(
            () => "The other server does not know.", () => KeptIn(deaf).Find(Environment).Retention == TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Settings_of_a_later_version_are_kept_when_this_one_changes_others()
    {
        var node = await StartNodeAsync();
        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();
        await context.Environments.ExecuteUpdateAsync(set => set.SetProperty(row => row.Settings, """{"ofALaterVersion":7}"""), Cancelled);

        var changed = await ChangedAsync(node, (Retention, 60));

        Assert.Equal([("ofALaterVersion", 7L), (Retention, 60L)], changed.Settings.Select(pair => (pair.Key, pair.Value)));
    }

    [Fact]
    public async Task However_many_change_a_setting_at_once_all_servers_come_to_what_is_stored()
    {
        var first = await StartNodeAsync();
        var second = await StartNodeAsync();

        await Task.WhenAll(Enumerable.Range(60, 20).Select(i => ChangedAsync(i % 2 == 0 ? first : second, (Retention, i))));

        var stored = (await Environments(first).FindAsync(Environment, Cancelled))!.Settings[Retention];
        foreach (var node in (TestNode[])[first, second])
            await Until.TrueAsync(
                () => $"It is {stored} s, and here {KeptIn(node).Find(Environment).Retention}.",
                () => KeptIn(node).Find(Environment).Retention == TimeSpan.FromSeconds(stored));
    }

    [Fact]
    public async Task Changes_are_logged_with_who_and_the_old_and_the_new_value_and_what_changes_nothing_is_not()
    {
        var logs = FakeLogCollector.Create(new FakeLogCollectorOptions());
        var node = await StartNodeAsync(configure: services => services.AddLogging(logging => logging.AddProvider(new FakeLoggerProvider(logs))));

        await ChangedAsync(node, (Retention, 60));
        await ChangedAsync(node, (Retention, 60));
        await ChangedAsync(node, (Retention, null));

        var told = logs.GetSnapshot().Where(log => log.Id.Id == 1436).ToList();
        Assert.Equal(
            [$"Settings of default were changed by {By}: retentionInSeconds default → 60", $"Settings of default were changed by {By}: retentionInSeconds 60 → default"],
            told.Select(log => log.Message));
        Assert.All(told, log => Assert.Equal(LogLevel.Information, log.Level));
    }

    private static IEnvironmentSettings KeptIn(TestNode node) => node.Services.GetRequiredService<IEnvironmentSettings>();

    private static IEnvironments Environments(TestNode node) => node.Services.GetRequiredService<IEnvironments>();

    private static Task<EnvironmentSettingsOutcome> ChangeAsync(TestNode node, EnvironmentId environment, params (string Name, long? Value)[] changes) =>
        KeptIn(node).ChangeAsync(environment, changes.ToDictionary(change => change.Name, change => change.Value), By, Cancelled);

    private static async Task<EnvironmentEntry> ChangedAsync(TestNode node, params (string Name, long? Value)[] changes) =>
        Assert.IsType<EnvironmentSettingsOutcome.Changed>(await ChangeAsync(node, Environment, changes)).Environment;
}
