using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class NamedStreamOnPostgresTests(PostgresDatabases databases) : NamedStreamContract(databases);

public sealed class NamedStreamOnSqliteTests(SqliteDatabases databases) : NamedStreamContract(databases), IClassFixture<SqliteDatabases>;

public abstract class NamedStreamContract(TestDatabases databases) : RegistryContract(databases)
{
    [Fact]
    public async Task A_named_stream_is_a_stream_that_can_be_admitted_and_is_no_run_for_users()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run"));

        var made = Assert.IsType<NamedStreamOutcome.Made>(await CreateAsync(node, "orders/ä b", "{\"a\":1}"));

        Assert.True(made.New);
        Assert.Equal(("orders/ä b", "{\"a\":1}", StreamKey.Default), (made.Stream.Name, made.Stream.Config, made.Stream.Address.Key));
        Assert.Equal(made.Stream, await Names(node).FindAsync(Environment, "orders/ä b", Cancelled));
        Assert.IsType<StreamAdmission.Admitted>(await node.Registry.AdmitAsync(made.Stream.Address, Cancelled));
        Assert.True((await node.Registry.FindAsync(Environment, made.Stream.Address.Run, Cancelled))!.IsHidden);
        foreach (var query in new RunQuery[] { new(null, null, null, null, 50), new(RunStatus.Open, null, null, null, 50) })
        {
            var page = Assert.IsType<RunListOutcome.Listed>(await node.Registry.ListAsync(Environment, query, Cancelled));
            Assert.Equal([Id("run")], page.Runs.Select(run => run.Id));
        }
        Assert.Equal(ErrorCode.RunConflict, (await RefusedAsync(node, Registration(made.Stream.Address.Run.Value))).Code);
    }

    [Fact]
    public async Task A_name_is_made_once_and_a_repeated_request_finds_what_it_made()
    {
        var node = await StartNodeAsync();
        var first = Assert.IsType<NamedStreamOutcome.Made>(await CreateAsync(node, "a", "1", "token"));

        var repeated = Assert.IsType<NamedStreamOutcome.Made>(await CreateAsync(node, "a", "1", "token"));
        Assert.Equal((first.Stream, false), (repeated.Stream, repeated.New));
        foreach (var other in (string?[])["other", null])
            Assert.Equal(first.Stream, Assert.IsType<NamedStreamOutcome.Taken>(await CreateAsync(node, "a", "2", other)).Stream);
        var ensured = Assert.IsType<NamedStreamOutcome.Made>(await Names(node).EnsureAsync(Environment, "a", "3", null, Cancelled));
        Assert.Equal((first.Stream, false), (ensured.Stream, ensured.New));
        Assert.True(Assert.IsType<NamedStreamOutcome.Made>(await Names(node).EnsureAsync(Environment, "b", "3", null, Cancelled)).New);
    }

    [Fact]
    public async Task Of_many_that_make_one_name_at_once_on_several_nodes_one_does()
    {
        TestNode[] nodes = [await StartNodeAsync(), await StartNodeAsync(), await StartNodeAsync()];

        var made = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(
            async () => (NamedStreamOutcome.Made)await Names(nodes[i % 3]).EnsureAsync(Environment, "one", "{}", null, Cancelled), Cancelled)));

        Assert.Single(made, outcome => outcome.New);
        Assert.Single(made.Select(outcome => outcome.Stream).Distinct());
        await using var context = nodes[0].Services.GetRequiredService<RegistryProvider>().CreateContext();
        Assert.Equal(1, await context.Runs.CountAsync(Cancelled)); // Losers leave no hidden run behind.
    }

    [Fact]
    public async Task A_name_that_cannot_be_one_is_refused_and_never_found()
    {
        var node = await StartNodeAsync();
        foreach (var name in (string[])["", "a\0b", "\ud800", new string('x', 513)])
        {
            Assert.Equal(ErrorCode.InvalidRequest, Assert.IsType<NamedStreamOutcome.Refused>(await CreateAsync(node, name)).Refusal.Code);
            Assert.Null(await Names(node).FindAsync(Environment, name, Cancelled));
            Assert.Null(await Names(node).ReconfigureAsync(Environment, name, "", "{}", null, Cancelled));
            Assert.Null(await Names(node).DeleteAsync(Environment, name, "a test", Cancelled));
        }
    }

    [Fact]
    public async Task Names_have_512_bytes_and_configurations_16_kibibytes_at_most()
    {
        var node = await StartNodeAsync();

        Assert.IsType<NamedStreamOutcome.Made>(await CreateAsync(node, new string('ä', 256)));
        Assert.IsType<NamedStreamOutcome.Refused>(await CreateAsync(node, new string('ä', 256) + "a"));
        Assert.IsType<NamedStreamOutcome.Refused>(await CreateAsync(node, "a", new string('x', 16 * 1024 + 1)));
        Assert.IsType<NamedStreamOutcome.Refused>(await CreateAsync(node, "a", "\0"));
        Assert.IsType<NamedStreamOutcome.Refused>(await CreateAsync(node, "a", token: new string('x', 257)));
        Assert.IsType<NamedStreamOutcome.Made>(await CreateAsync(node, "a", new string('x', 16 * 1024), new string('x', 256)));
    }

    [Fact]
    public async Task A_stream_has_a_retention_of_its_own_which_counts_at_once_when_it_changes()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        Settings["RealtimeStreams:Retention"] = "01:00:00";
        var node = await StartNodeAsync(clock);
        var expiries = node.Services.GetRequiredService<IStreamExpiries>();
        Assert.IsType<NamedStreamOutcome.Refused>(await Names(node).CreateAsync(Environment, "a", "1", TimeSpan.FromSeconds(59), null, Cancelled));
        Assert.IsType<NamedStreamOutcome.Refused>(await Names(node).CreateAsync(Environment, "a", "1", TimeSpan.FromMinutes(61), null, Cancelled));
        var made = Assert.IsType<NamedStreamOutcome.Made>(await Names(node).CreateAsync(Environment, "a", "1", TimeSpan.FromMinutes(30), null, Cancelled));
        await node.Registry.AdmitAsync(made.Stream.Address, Cancelled);

        await Names(node).ReconfigureAsync(Environment, "a", "wrong", "2", TimeSpan.FromMinutes(1), Cancelled);
        Assert.Empty(await expiries.FindDueAsync(10, Cancelled));
        await Names(node).ReconfigureAsync(Environment, "a", "1", "2", TimeSpan.FromMinutes(1), Cancelled);
        Assert.Equal(TimeSpan.FromMinutes(1), Assert.Single(await expiries.FindDueAsync(10, Cancelled)).Retention);
        await Names(node).ReconfigureAsync(Environment, "a", "2", "3", null, Cancelled);
        Assert.Equal(TimeSpan.FromHours(1), Assert.Single(await expiries.FindDueAsync(10, Cancelled)).Retention);
        await Assert.ThrowsAsync<ArgumentException>(() => Names(node).ReconfigureAsync(Environment, "a", "3", "4", TimeSpan.FromSeconds(1), Cancelled));
    }

    [Fact]
    public async Task A_configuration_is_replaced_only_if_it_is_the_one_that_the_change_was_made_from()
    {
        var node = await StartNodeAsync();
        await CreateAsync(node, "a", "1");
        Assert.NotNull(await Names(node).FindAsync(Environment, "a", Cancelled));

        Assert.Equal("2", (await Names(node).ReconfigureAsync(Environment, "a", "1", "2", null, Cancelled))!.Config);
        Assert.Equal("2", (await Names(node).ReconfigureAsync(Environment, "a", "1", "3", null, Cancelled))!.Config);
        Assert.Equal("2", (await Names(node).FindAsync(Environment, "a", Cancelled))!.Config);
        Assert.Null(await Names(node).ReconfigureAsync(Environment, "b", "1", "2", null, Cancelled));
    }

    [Fact]
    public async Task A_deleted_stream_is_erased_and_its_name_is_free_at_once_for_another()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
        var node = await StartNodeAsync(clock);
        var first = Assert.IsType<NamedStreamOutcome.Made>(await CreateAsync(node, "a")).Stream;
        await node.Registry.AdmitAsync(first.Address, Cancelled);
        Assert.NotNull(await Names(node).FindAsync(Environment, "a", Cancelled));

        Assert.NotNull(await Names(node).DeleteAsync(Environment, "a", "a test", Cancelled));

        Assert.Null(await Names(node).FindAsync(Environment, "a", Cancelled));
        Assert.Null(await Names(node).DeleteAsync(Environment, "a", "a test", Cancelled));
        Assert.IsType<StreamAdmission.Refused>(await node.Registry.AdmitAsync(first.Address, Cancelled));
        Assert.Single(node.Observer.Calls);
        var second = Assert.IsType<NamedStreamOutcome.Made>(await CreateAsync(node, "a"));
        Assert.True(second.New);
        Assert.NotEqual(first.Address, second.Stream.Address);
        Assert.IsType<StreamAdmission.Admitted>(await node.Registry.AdmitAsync(second.Stream.Address, Cancelled));

        clock.Advance(TimeSpan.FromMinutes(2)); // The sweep erases the first once more, and only that.
        Assert.Equal(1, (await node.Registry.RepeatAsync(null, 100, Cancelled)).Done);
        Assert.Null(await node.Registry.FindAsync(Environment, first.Address.Run, Cancelled));
        Assert.Equal(second.Stream, await Names(node).FindAsync(Environment, "a", Cancelled));
    }

    [Fact]
    public async Task A_deletion_that_was_cut_off_is_repeated_by_the_sweep()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
        var node = await StartNodeAsync(clock);
        await CreateAsync(node, "a");
        node.Observer.Failure = new TimeoutException();
        Assert.Null((await Names(node).DeleteAsync(Environment, "a", "a test", Cancelled))!.ErasedAt);
        node.Observer.Failure = null;

        Assert.Null(await Names(node).FindAsync(Environment, "a", Cancelled));
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, (await node.Registry.RepeatAsync(null, 100, Cancelled)).Done);
    }

    [Fact]
    public async Task All_streams_are_listed_in_byte_order_page_by_page_with_those_of_runs_among_them()
    {
        var node = await StartNodeAsync();
        string[] named = ["Z", "a", "a-", "a/b", "aB", "ab", "runs", "runs/", "runs/x", "ä", "\uffff", "\U00010000", "\U0010fffd", " ", "a\u0001"];
        foreach (var name in named) Assert.IsType<NamedStreamOutcome.Made>(await CreateAsync(node, name));
        foreach (var run in (string[])["r", "r-", "r/1", "r%2F1"])
        {
            await RegisterAsync(node, Registration(run));
            foreach (var key in (string[])["default", "a/b"]) await node.Registry.AdmitAsync(Stream(run, key), Cancelled);
        }
        await RegisterAsync(node, Registration("gone"));
        await node.Registry.AdmitAsync(Stream("gone", "default"), Cancelled);
        await node.Registry.EraseAsync(Environment, Id("gone"), Cancelled);
        await node.Registry.AdmitAsync((await Names(node).FindAsync(Environment, "a", Cancelled))!.Address, Cancelled);
        string[] ofRuns =
        [
            "runs/r/default", "runs/r/a/b", "runs/r-/default", "runs/r-/a/b", "runs/r%2F1/default", "runs/r%2F1/a/b", "runs/r%252F1/default", "runs/r%252F1/a/b",
        ];
        var all = named.Concat(ofRuns).OrderBy(name => Convert.ToHexString(Encoding.UTF8.GetBytes(name)), StringComparer.Ordinal).ToList();

        foreach (var limit in (int[])[1, 2, 7, 22, 23, 1000])
        {
            Assert.Equal(all, await ListAllAsync(node, "", "", limit));
            foreach (var prefix in all.Append("r").Append("runs/r").Append("\ud83d\ude00").Append("a\0").Append("\U0010ffff"))
                Assert.Equal(all.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)), await ListAllAsync(node, prefix, "", limit));
        }
        for (var i = 0; i < all.Count; i++)
            Assert.Equal(all.Skip(i + 1), await ListAllAsync(node, "", all[i], 1000));
        Assert.Equal(all.SkipWhile(name => name != "a").Skip(1), await ListAllAsync(node, "", "a\0b", 1000));
        Assert.Equal(["ab"], await ListAllAsync(node, "a", "aBz", 10));
        Assert.Empty(await ListAllAsync(node, "a", "b", 10));
    }

    [Fact]
    public async Task A_list_tells_when_streams_were_made_and_ended()
    {
        var node = await StartNodeAsync();
        var named = Assert.IsType<NamedStreamOutcome.Made>(await CreateAsync(node, "a")).Stream;
        await RegisterAsync(node, Registration("run"));
        foreach (var stream in (StreamAddress[])[named.Address, Stream("run", "a")])
        {
            await node.Registry.AdmitAsync(stream, Cancelled);
            Assert.All((await Names(node).ListAsync(Environment, "", "", 10, Cancelled)).Streams, listed => Assert.Null(listed.EndedAt));
        }
        foreach (var stream in (StreamAddress[])[named.Address, Stream("run", "a")])
            await node.Registry.MarkClosedAsync(stream, Outcome.Completed, Cancelled);

        var page = await Names(node).ListAsync(Environment, "", "", 10, Cancelled);

        Assert.False(page.HasMore);
        Assert.Equal(["a", "runs/run/a"], page.Streams.Select(listed => listed.Name));
        Assert.All(page.Streams, listed => Assert.True(listed.EndedAt >= listed.CreatedAt));
        Assert.Equal(named.CreatedAt, page.Streams[0].CreatedAt);
    }

    [Fact]
    public async Task Another_nodes_change_is_seen_when_memory_expires_at_the_latest()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
        TestNode[] nodes = [await StartNodeAsync(clock), await StartNodeAsync(clock)]; // Each with announcements of its own.
        await CreateAsync(nodes[0], "a", "1");
        Assert.Equal("1", (await Names(nodes[1]).FindAsync(Environment, "a", Cancelled))!.Config);
        await Names(nodes[0]).ReconfigureAsync(Environment, "a", "1", "2", null, Cancelled);

        Assert.Equal("1", (await Names(nodes[1]).FindAsync(Environment, "a", Cancelled))!.Config);
        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("2", (await Names(nodes[1]).FindAsync(Environment, "a", Cancelled))!.Config);
    }

    private static INamedStreams Names(TestNode node) => node.Services.GetRequiredService<INamedStreams>();

    private static Task<NamedStreamOutcome> CreateAsync(TestNode node, string name, string config = "{}", string? token = null) =>
        Names(node).CreateAsync(Environment, name, config, null, token, Cancelled);

    private static async Task<List<string>> ListAllAsync(TestNode node, string prefix, string startAfter, int limit)
    {
        List<string> names = [];
        while (true)
        {
            var page = await Names(node).ListAsync(Environment, prefix, startAfter, limit, Cancelled);
            names.AddRange(page.Streams.Select(stream => stream.Name));
            if (!page.HasMore) return names;
            Assert.Equal(limit, page.Streams.Count);
            startAfter = names[^1];
        }
    }
}
