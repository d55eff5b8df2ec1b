using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class SetupOnPostgresTests(PostgresDatabases databases) : SetupContract(databases);

public sealed class SetupOnSqliteTests(SqliteDatabases databases) : SetupContract(databases), IClassFixture<SqliteDatabases>
{
    [Fact]
    public async Task A_server_that_was_killed_in_a_migration_does_not_keep_the_next_from_starting()
    {
        await using (var node = await TestNode.StartAsync(Settings))
        {
            await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();
            await context.Database.ExecuteSqlRawAsync(
                "CREATE TABLE IF NOT EXISTS \"__EFMigrationsLock\" (\"Id\" INTEGER PRIMARY KEY, \"Timestamp\" TEXT NOT NULL);" +
                "INSERT INTO \"__EFMigrationsLock\" VALUES (1, 'a moment ago')",
                Cancelled);
        }

        var next = await StartNodeAsync();

        await RegisterAsync(next, Registration("run"));
    }

    [Fact]
    public async Task A_server_whose_clock_stands_still_starts_when_another_has_finished_its_setup()
    {
        Task<TestNode> starting;
        await using (new FileStream(Path.Combine(Settings["RealtimeStreams:DataDirectory"]!, "registry.db.setup-lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            starting = StartNodeAsync(new FakeTimeProvider());
            await Task.WhenAny(starting, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Cancelled));
            Assert.False(starting.IsCompleted);
        }

        await starting.WaitAsync(TimeSpan.FromSeconds(30), Cancelled);
    }

    [Fact]
    public async Task The_file_is_in_write_ahead_mode()
    {
        var node = await StartNodeAsync();
        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();

        Assert.Equal(
            "wal", await context.Database.SqlQuery<string>($"SELECT journal_mode AS Value FROM pragma_journal_mode()").SingleAsync(Cancelled));
    }
}

public abstract class SetupContract(TestDatabases databases) : RegistryContract(databases)
{
    [Fact]
    public async Task Several_servers_start_at_once_on_an_empty_database()
    {
        var nodes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => StartNodeAsync(), Cancelled)));

        await RegisterAsync(nodes[0], Registration("run"));
        foreach (var node in nodes) Assert.NotNull(await node.Registry.FindAsync(Environment, Id("run"), Cancelled));
        var keys = await Task.WhenAll(nodes.Select(node => node.Services.GetRequiredService<IDefaultSecretKey>().GetAsync(Cancelled)));
        Assert.Single(keys.Distinct());
    }

    [Fact]
    public async Task The_migrations_make_what_the_code_expects()
    {
        var node = await StartNodeAsync();
        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();

        Assert.False(context.Database.HasPendingModelChanges());
        Assert.Empty(await context.Database.GetPendingMigrationsAsync(Cancelled));
    }

    [Fact]
    public async Task A_restarted_server_finds_what_was_there()
    {
        await using (var before = await TestNode.StartAsync(Settings)) await RegisterAsync(before, Registration("run", "import"));

        var node = await StartNodeAsync();

        Assert.Equal("import", (await node.Registry.FindAsync(Environment, Id("run"), Cancelled))!.TaskId);
    }

    [Fact]
    public async Task A_database_of_the_first_version_is_brought_up_with_what_it_holds()
    {
        await using (var before = await TestNode.StartAsync(Settings))
        {
            await RegisterAsync(before, Registration("a/b%", "import"));
            await before.Registry.AdmitAsync(Stream("a/b%", "key"), Cancelled);
            await using var context = before.Services.GetRequiredService<RegistryProvider>().CreateContext();
            await context.GetService<IMigrator>().MigrateAsync("Initial", Cancelled);
        }

        var node = await StartNodeAsync();

        var run = await node.Registry.FindAsync(Environment, Id("a/b%"), Cancelled);
        Assert.Equal(("import", false, run!.CreatedAt), (run.TaskId, run.Triggered, run.StartedAt));
        var streams = await node.Services.GetRequiredService<INamedStreams>().ListAsync(Environment, "", "", 10, Cancelled);
        Assert.Equal(["runs/a%2Fb%25/key"], streams.Streams.Select(stream => stream.Name));
        var tokens = node.Services.GetRequiredService<IAccessTokens>(); // The start has seen the key, so that it can sign.
        Assert.NotNull(await tokens.VerifyAsync((await tokens.IssueAsync(Environment, [], TimeSpan.FromHours(1), "a test", Cancelled)).Token, Cancelled));
    }

    [Fact]
    public async Task The_health_check_says_that_the_database_answers()
    {
        var node = await StartNodeAsync();

        var report = await node.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancelled);

        Assert.Equal(HealthStatus.Healthy, report.Entries["registry"].Status);
    }

    [Theory]
    [InlineData("RealtimeStreams:SecretKey", "too short")]
    [InlineData("RealtimeStreams:SecretKey", "long enough, but with spaces")]
    [InlineData("RealtimeStreams:RunRegistry:CacheTime", "1.00:00:00")]
    public async Task A_wrong_setting_stops_the_start(string setting, string value)
    {
        Settings[setting] = value;

        await Assert.ThrowsAsync<OptionsValidationException>(() => StartNodeAsync());
    }
}
