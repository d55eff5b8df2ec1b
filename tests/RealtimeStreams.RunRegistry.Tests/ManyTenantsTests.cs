using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.AccessTokens;
using RealtimeStreams.RunRegistry.SecretKeys;
using RealtimeStreams.RunRegistry.Setup;
using RealtimeStreams.RunRegistry.Storing;
using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class ManyTenantsOnPostgresTests(PostgresDatabases databases) : ManyTenantsContract(databases);

public sealed class ManyTenantsOnSqliteTests(SqliteDatabases databases) : ManyTenantsContract(databases), IClassFixture<SqliteDatabases>;

/// <summary>What is revoked is ended at once however many environments are in use: more of them than one query asks for.</summary>
public abstract class ManyTenantsContract(TestDatabases databases) : RegistryContract(databases)
{
    private const int Tenants = RevocationStore.MaxEnvironments + 1;
    private const string By = "a test";

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    private readonly InProcessAnnouncements announcements = new();

    [Fact]
    public async Task A_change_of_a_key_costs_few_queries_and_ends_what_goes_on_with_that_key_alone()
    {
        var node = await StartAsync();
        await MakeTenantsAsync(node);
        var watches = await WatchAllAsync(node);
        using var operations = new Operations(node);

        await node.Services.GetRequiredService<ISecretKeys>().RevokeAsync(Tenant(Tenants - 1), KeyId(Tenants - 1), By, Cancelled);

        await Until.TrueAsync(() => "the watch has not ended", () => watches[^1].End == AccessEnd.Revoked);
        await Until.TrueAsync(() => "the round has not ended", () => operations.Names.Count(name => name == "check_secret_keys") >= 2);
        Assert.InRange(operations.Names.Count(name => name == "check_secret_keys"), 2, 10);
        Assert.Equal(1, watches.Count(watch => watch.End is not null));
        foreach (var watch in watches) watch.Dispose();
    }

    [Fact]
    public async Task A_token_that_is_revoked_in_the_middle_of_a_round_waits_for_one_query_and_not_for_the_round()
    {
        var (node, elsewhere) = (await StartAsync(), await StartAsync());
        await MakeTenantsAsync(node);
        var watches = await WatchAllAsync(node);
        var issued = await elsewhere.Services.GetRequiredService<IAccessTokens>().IssueAsync(Tenant(0), ["read:runs"], TimeSpan.FromMinutes(15), "a test", Cancelled);
        using var doomed = await WatchAsync(node, issued.Token);
        using var operations = new Operations(node);
        operations.Once("find_token_revocations", () => elsewhere.Services.GetRequiredService<IAccessTokens>().RevokeAsync(Tenant(0), issued.Id, By, Cancelled).AsTask());

        clock.Advance(TimeSpan.FromSeconds(31)); // All are read anew.

        await Until.TrueAsync(() => "the watch has not ended", () => doomed.End == AccessEnd.Revoked);
        await Until.TrueAsync(() => "the round has not ended", () => operations.Names.Count(name => name == "find_token_revocations") >= 2);
        Assert.Equal(
            ["find_token_revocations", "find_new_token_revocations"],
            operations.Names.Where(name => name is "find_token_revocations" or "find_new_token_revocations").Take(2));
        foreach (var watch in watches) watch.Dispose();
    }

    [Fact]
    public async Task A_key_that_is_made_and_used_while_a_round_compares_keys_goes_on()
    {
        var node = await StartAsync();
        await MakeTenantsAsync(node, 1);
        using var old = await WatchAsync(node, Key(0));
        using var operations = new Operations(node);
        IAccessWatch? made = null;
        operations.Once("check_secret_keys", async () =>
        {
            var key = Assert.IsType<SecretKeyOutcome.Made>(await node.Services.GetRequiredService<ISecretKeys>().AddAsync(Tenant(0), By, Cancelled));
            made = await WatchAsync(node, key.Secret);
        });

        await node.Services.GetRequiredService<ISecretKeys>().RevokeAsync(Tenant(0), KeyId(0), By, Cancelled);

        // One more round for the key that was added.
        await Until.TrueAsync(() => "the rounds have not ended", () => old.End == AccessEnd.Revoked && operations.Names.Count(name => name == "check_secret_keys") >= 2);
        Assert.NotNull(made);
        Assert.Null(made.End);
        made.Dispose();
    }

    private static EnvironmentId Tenant(int number) => EnvironmentId.Parse(string.Create(CultureInfo.InvariantCulture, $"tenant{number}"));

    private static string Key(int tenant) => string.Create(CultureInfo.InvariantCulture, $"a-key-of-tenant-{tenant}");

    private static string KeyId(int tenant) => string.Create(CultureInfo.InvariantCulture, $"sk_{tenant}");

    private static async Task MakeTenantsAsync(TestNode node, int count = Tenants)
    {
        var protector = node.Services.GetRequiredService<SecretKeyProtector>();
        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();
        for (var i = 0; i < count; i++)
        {
            context.Environments.Add(new StoredEnvironment { Id = Tenant(i).Value, CreatedAt = DateTimeOffset.UnixEpoch });
            context.SecretKeys.Add(new StoredSecretKey
            {
                Environment = Tenant(i).Value,
                Hash = SHA256.HashData(Encoding.UTF8.GetBytes(Key(i))),
                Id = KeyId(i),
                Prefix = "a",
                Ciphertext = protector.Protect(Key(i)),
                CreatedAt = DateTimeOffset.UnixEpoch,
            });
        }
        await context.SaveChangesAsync(Cancelled);
    }

    private async Task<List<IAccessWatch>> WatchAllAsync(TestNode node)
    {
        var watches = new List<IAccessWatch>();
        for (var i = 0; i < Tenants; i++)
            watches.Add(await WatchAsync(node, SignedToken.Make(SignedToken.Claims(clock.GetUtcNow(), Tenant(i).Value), Key(i))));
        return watches;
    }

    private static async Task<IAccessWatch> WatchAsync(TestNode node, string credential)
    {
        var credentials = node.Services.GetRequiredService<ICredentials>();
        return credentials.Watch((await credentials.FindAsync(credential, Cancelled))!);
    }

    private Task<TestNode> StartAsync() => StartNodeAsync(clock, services => services.AddSingleton<IRegistryAnnouncements>(announcements));

    /// <summary>What a node asks of its database, in order; and something to be done right after one of them, before the node goes on.</summary>
    private sealed class Operations : IDisposable
    {
        private readonly MeterListener listener = new();
        private readonly ConcurrentQueue<string> names = new();
        private (string Operation, Func<Task> Deed)? once;

        public Operations(TestNode node)
        {
            var meters = node.Services.GetRequiredService<IMeterFactory>();
            listener.InstrumentPublished = (instrument, self) =>
            {
                if (ReferenceEquals(instrument.Meter.Scope, meters) && instrument.Name == "realtimestreams.runregistry.operation.duration")
                    self.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<double>((_, _, tags, _) => Add(tags));
            listener.Start();
        }

        public IReadOnlyCollection<string> Names => names;

        public void Once(string operation, Func<Task> deed) => once = (operation, deed);

        public void Dispose() => listener.Dispose();

        private void Add(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (var (key, value) in tags)
            {
                if (key != "operation" || value is not string name) continue;
                names.Enqueue(name);
                if (once is not { } due || due.Operation != name) continue;
                once = null;
                Task.Run(due.Deed, Cancelled).GetAwaiter().GetResult();
            }
        }
    }
}
