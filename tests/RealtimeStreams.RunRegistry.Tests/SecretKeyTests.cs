using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class SecretKeyOnPostgresTests(PostgresDatabases databases) : SecretKeyContract(databases);

public sealed class SecretKeyOnSqliteTests(SqliteDatabases databases) : SecretKeyContract(databases), IClassFixture<SqliteDatabases>;

public abstract class SecretKeyContract(TestDatabases databases) : RegistryContract(databases)
{
    private string KeyFile => Path.Combine(Settings["RealtimeStreams:DataDirectory"]!, "secret-key");

    [Fact]
    public async Task Without_a_configured_key_one_is_made_once_and_kept_for_this_user_only()
    {
        var first = await StartNodeAsync();
        var second = await StartNodeAsync();

        var key = await KeyAsync(first);

        Assert.Matches("^rssk_[A-Za-z0-9_-]{43}$", key);
        Assert.Equal(key, await KeyAsync(second));
        Assert.Equal(key, (await File.ReadAllTextAsync(KeyFile, Cancelled)).Trim());
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
        Assert.Equal(Environment, await FindAsync(first, key));
    }

    [Fact]
    public async Task A_configured_key_opens_the_default_environment_and_nothing_else_does()
    {
        Settings["RealtimeStreams:SecretKey"] = "a-configured-secret-key";
        var node = await StartNodeAsync();

        Assert.Equal("a-configured-secret-key", await KeyAsync(node));
        Assert.Equal(Environment, await FindAsync(node, "a-configured-secret-key"));
        foreach (var wrong in (string[])["", "a-configured-secret-keY", "a-configured-secret-key ", new string('x', 100_000), "ä\0\ud800"])
            Assert.Null(await FindAsync(node, wrong));
        Assert.False(File.Exists(KeyFile));
    }

    [Fact]
    public async Task A_newly_configured_key_replaces_the_ones_before_as_soon_as_memory_expires()
    {
        var clock = new FakeTimeProvider();
        var old = await StartNodeAsync(clock);
        var made = await KeyAsync(old);
        Assert.NotNull(await FindAsync(old, made));
        Settings["RealtimeStreams:SecretKey"] = "a-configured-secret-key";

        var node = await StartNodeAsync(clock);

        Assert.Null(await FindAsync(node, made));
        Assert.NotNull(await FindAsync(old, "a-configured-secret-key"));
        Assert.NotNull(await FindAsync(old, made)); // Remembered.
        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Null(await FindAsync(old, made));
    }

    [Fact]
    public async Task The_database_holds_digests_and_no_keys()
    {
        var node = await StartNodeAsync();
        var key = await KeyAsync(node);
        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();

        var row = await context.SecretKeys.SingleAsync(Cancelled);

        Assert.Equal(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(key)), row.Hash);
    }

    private static Task<string> KeyAsync(TestNode node) => node.Services.GetRequiredService<IDefaultSecretKey>().GetAsync(Cancelled);

    private static async Task<EnvironmentId?> FindAsync(TestNode node, string key) =>
        await node.Services.GetRequiredService<IEnvironments>().FindBySecretKeyAsync(key, Cancelled);
}
