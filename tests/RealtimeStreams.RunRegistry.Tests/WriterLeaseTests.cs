using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class WriterLeaseOnPostgresTests(PostgresDatabases databases) : WriterLeaseContract(databases);

public sealed class WriterLeaseOnSqliteTests(SqliteDatabases databases) : WriterLeaseContract(databases), IClassFixture<SqliteDatabases>;

public abstract class WriterLeaseContract(TestDatabases databases) : RegistryContract(databases)
{
    private static readonly TimeSpan lease = TimeSpan.FromMinutes(10);

    private readonly FakeTimeProvider clock = new();

    [Fact]
    public async Task A_stream_of_an_open_run_is_found_when_its_lease_is_over()
    {
        var node = await StartAsync("run");
        await node.Registry.AdmitAsync(Stream("run", "a"), Cancelled);
        clock.Advance(lease - TimeSpan.FromSeconds(1));
        Assert.Empty(await FindAsync(node));

        clock.Advance(TimeSpan.FromSeconds(1));

        var found = Assert.Single(await FindAsync(node));
        Assert.Equal((Stream("run", "a"), lease, false), (found.Stream, found.Lease, found.IsDoubted));
    }

    [Fact]
    public async Task Input_streams_streams_outside_of_runs_closed_streams_and_those_of_ended_runs_are_not_found()
    {
        var node = await StartAsync("run", "ended");
        await node.Registry.AdmitAsync(Stream("run", "$input:stop"), Cancelled);
        await node.Registry.AdmitAsync(Stream("run", "closed"), Cancelled);
        await node.Registry.MarkClosedAsync(Stream("run", "closed"), Outcome.Completed, Cancelled);
        await node.Registry.AdmitAsync(Stream("ended", "a"), Cancelled);
        node.Observer.Failure = new TimeoutException(); // Its streams' rows stay open.
        await Assert.ThrowsAsync<TimeoutException>(() => node.Registry.CompleteAsync(Environment, Id("ended"), Outcome.Completed, null, Cancelled));
        var named = Assert.IsType<NamedStreamOutcome.Made>(
            await node.Services.GetRequiredService<INamedStreams>().CreateAsync(Environment, "named", "{}", null, null, Cancelled));
        await node.Registry.AdmitAsync(named.Stream.Address, Cancelled);

        clock.Advance(lease * 2);

        Assert.Empty(await FindAsync(node));
        Assert.Empty(await Leases(node).RenewAsync([Stream("run", "$input:stop"), Stream("run", "closed"), named.Stream.Address], Cancelled));
    }

    [Fact]
    public async Task A_renewal_gives_a_lease_and_a_third_and_ends_a_doubt()
    {
        var node = await StartAsync("run");
        await node.Registry.AdmitAsync(Stream("run", "a"), Cancelled);
        clock.Advance(lease);
        Assert.True(await Leases(node).DoubtAsync(Assert.Single(await FindAsync(node)), clock.GetUtcNow() + TimeSpan.FromSeconds(30), Cancelled));

        var renewed = await Leases(node).RenewAsync([Stream("run", "a"), Stream("run", "never")], Cancelled);

        Assert.Equal((Stream("run", "a"), lease), (Assert.Single(renewed).Key, renewed[Stream("run", "a")]));
        clock.Advance(lease * 4 / 3 - TimeSpan.FromSeconds(1));
        Assert.Empty(await FindAsync(node));
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.False(Assert.Single(await FindAsync(node)).IsDoubted);
    }

    [Fact]
    public async Task Of_two_nodes_that_doubt_what_both_found_one_goes_on()
    {
        var node = await StartAsync("run");
        var other = await StartNodeAsync(clock);
        await node.Registry.AdmitAsync(Stream("run", "a"), Cancelled);
        clock.Advance(lease);
        var (here, there) = (Assert.Single(await FindAsync(node)), Assert.Single(await FindAsync(other)));
        var until = clock.GetUtcNow() + TimeSpan.FromSeconds(30);

        var won = await Task.WhenAll(Leases(node).DoubtAsync(here, until, Cancelled), Leases(other).DoubtAsync(there, until, Cancelled));

        Assert.Single(won, true);
        Assert.False(await Leases(other).ProlongAsync(there, until, Cancelled));
        Assert.Empty(await FindAsync(node));
        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.True(Assert.Single(await FindAsync(other)).IsDoubted);
    }

    [Fact]
    public async Task A_lease_of_its_own_is_that_of_a_new_stream_and_a_longer_one_holds_at_once()
    {
        var node = await StartAsync("run");
        await node.Registry.AdmitAsync(Stream("run", "a"), TimeSpan.FromSeconds(5), Cancelled);
        clock.Advance(TimeSpan.FromSeconds(4));
        await node.Registry.AdmitAsync(Stream("run", "a"), TimeSpan.FromSeconds(60), Cancelled);

        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Empty(await FindAsync(node));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.FromSeconds(60), Assert.Single(await FindAsync(node)).Lease);
    }

    [Fact]
    public async Task A_shorter_lease_gives_nobody_up_sooner_than_was_promised()
    {
        var node = await StartAsync("run");
        var other = await StartNodeAsync(clock);
        await node.Registry.AdmitAsync(Stream("run", "a"), Cancelled);
        await other.Registry.AdmitAsync(Stream("run", "a"), TimeSpan.FromSeconds(5), Cancelled);
        Assert.Equal(TimeSpan.FromSeconds(5), Assert.Single(await Leases(node).RenewAsync([Stream("run", "a")], Cancelled)).Value);

        clock.Advance(lease - TimeSpan.FromSeconds(1));

        Assert.Empty(await FindAsync(node));
    }

    [Fact]
    public async Task A_lease_out_of_its_bounds_is_the_callers_fault()
    {
        var node = await StartAsync("run");
        foreach (var wrong in (TimeSpan[])[TimeSpan.FromSeconds(4), TimeSpan.FromDays(7) + TimeSpan.FromSeconds(1)])
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await node.Registry.AdmitAsync(Stream("run", "a"), wrong, Cancelled));
    }

    private static IWriterLeases Leases(TestNode node) => node.Services.GetRequiredService<IWriterLeases>();

    private static Task<IReadOnlyList<ExpiredLease>> FindAsync(TestNode node) => Leases(node).FindExpiredAsync(100, Cancelled);

    private async Task<TestNode> StartAsync(params string[] runs)
    {
        var node = await StartNodeAsync(clock);
        foreach (var run in runs) await RegisterAsync(node, Registration(run));
        return node;
    }
}
