using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Setup;
using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class StrangerOnPostgresTests(PostgresDatabases databases) : StrangerContract(databases);

public sealed class StrangerOnSqliteTests(SqliteDatabases databases) : StrangerContract(databases), IClassFixture<SqliteDatabases>;

/// <summary>What those cost who have no credential: tokens that name whatever they like, as many as they like.</summary>
public abstract class StrangerContract(TestDatabases databases) : RegistryContract(databases)
{
    private const string Key = "a-configured-secret-key";

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    private readonly InProcessAnnouncements announcements = new();

    [Fact]
    public async Task Tokens_of_environments_that_there_are_not_cost_one_query_in_two_seconds_however_many_they_name()
    {
        var node = await StartAsync();
        using var queries = Queries(node);

        var opened = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(
            () => Credentials(node).FindKnownAsync(Token($"nowhere-{i}", "nobodys-key"), Cancelled).AsTask(), Cancelled)));
        Assert.All(opened, Assert.Null);
        for (var i = 0; i < 100; i++) Assert.Null(await Credentials(node).FindKnownAsync(Token($"there-{i}", "nobodys-key"), Cancelled));
        Assert.InRange(Count("list_environment_ids"), 1, 2); // Not one for each; two if this node looked at its keys meanwhile.

        clock.Advance(TimeSpan.FromSeconds(2));
        for (var i = 0; i < 100; i++) Assert.Null(await Credentials(node).FindKnownAsync(Token($"anywhere-{i}", "nobodys-key"), Cancelled));
        Assert.InRange(Count("list_environment_ids"), 2, 4);
        Assert.Equal(0, Count("find_secret_keys"));

        int Count(string operation) => CountOf(queries, operation);
    }

    [Fact]
    public async Task Tokens_that_no_key_of_an_environment_signed_cost_one_query_in_two_seconds_also_when_it_has_no_key()
    {
        var node = await StartAsync();
        var made = await CreateAsync(node, "empty");
        await node.Services.GetRequiredService<ISecretKeys>().RevokeAsync(EnvironmentId.Parse("empty"), made.Key.Id, "a test", Cancelled);
        using var queries = Queries(node);

        foreach (var environment in (string[])["default", "empty"])
            for (var i = 0; i < 50; i++) Assert.Null(await Credentials(node).FindKnownAsync(Token(environment, "nobodys-key"), Cancelled));

        Assert.InRange(CountOf(queries, "find_secret_keys"), 2, 4);
        Assert.InRange(CountOf(queries, "list_environment_ids"), 1, 2);
    }

    [Fact]
    public async Task A_valid_token_opens_an_environment_that_nobody_has_used_here_to_those_who_have_guessed_too_often_as_well()
    {
        var node = await StartAsync();

        Assert.Equal(Environment, (await Credentials(node).FindKnownAsync(Token("default", Key), Cancelled))!.Environment);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_environment_that_is_made_is_known_on_every_node_at_once_or_when_it_looks(bool isAnnounced)
    {
        var node = await StartAsync();
        var other = await StartAsync(isAnnounced);
        foreach (var one in (TestNode[])[node, other]) Assert.Null(await Credentials(one).FindAsync(Token("new", "nobodys-key"), Cancelled));

        var made = await CreateAsync(node, "new");
        var token = Token("new", made.Secret);

        Assert.NotNull(await Credentials(node).FindAsync(token, Cancelled));
        await Until.TrueAsync(() => "the other node does not know of it", async () =>
        {
            if (await Credentials(other).FindAsync(token, Cancelled) is not null) return true;
            Assert.False(isAnnounced);
            clock.Advance(TimeSpan.FromMilliseconds(100));
            return false;
        });
    }

    private async Task<TestNode> StartAsync(bool isAnnounced = true)
    {
        Settings.TryAdd("RealtimeStreams:SecretKey", Key);
        return await StartNodeAsync(clock, services =>
        {
            if (isAnnounced) services.AddSingleton<IRegistryAnnouncements>(announcements);
        });
    }

    private static ICredentials Credentials(TestNode node) => node.Services.GetRequiredService<ICredentials>();

    private static async Task<SecretKeyOutcome.Made> CreateAsync(TestNode node, string environment) => Assert.IsType<SecretKeyOutcome.Made>(
        await node.Services.GetRequiredService<IEnvironments>().CreateAsync(EnvironmentId.Parse(environment), "a test", Cancelled));

    private static MetricCollector<double> Queries(TestNode node) => new(
        node.Services.GetRequiredService<IMeterFactory>(), "RealtimeStreams.RunRegistry", "realtimestreams.runregistry.operation.duration");

    private static int CountOf(MetricCollector<double> queries, string operation) =>
        queries.GetMeasurementSnapshot().Count(measured => (string?)measured.Tags["operation"] == operation);

    private string Token(string environment, string key) => SignedToken.Make(SignedToken.Claims(clock.GetUtcNow(), environment), key);
}
