using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class AdmittingOnPostgresTests(PostgresDatabases databases) : AdmittingContract(databases);

public sealed class AdmittingOnSqliteTests(SqliteDatabases databases) : AdmittingContract(databases), IClassFixture<SqliteDatabases>;

public abstract class AdmittingContract(TestDatabases databases) : RegistryContract(databases)
{
    [Fact]
    public async Task A_stream_of_an_open_run_is_admitted_and_has_one_row()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run"));

        for (var i = 0; i < 3; i++)
            Assert.Equal(StreamsVersion.V2, Assert.IsType<StreamAdmission.Admitted>(await node.Registry.AdmitAsync(Stream("run", "a/b"), Cancelled)).Version);

        var row = Assert.Single(await node.Registry.ListStreamsAsync(Environment, Id("run"), Cancelled));
        Assert.Equal((StreamKey.Parse("a/b"), null), (row.Key, row.Outcome));
    }

    [Fact]
    public async Task A_stream_of_an_unknown_run_is_refused()
    {
        var node = await StartNodeAsync();

        Assert.Equal((ErrorCode.RunNotFound, "There is no run gone."), await AdmitRefusedAsync(node, "gone", "a"));
    }

    [Fact]
    public async Task A_stream_of_an_ended_run_is_refused_whether_it_has_a_row_or_not()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run"));
        await AdmitAsync(node, "run", "old");
        await node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Failed, "broken", Cancelled);

        Assert.Equal((ErrorCode.RunCompleted, "The run run has ended (failed)."), await AdmitRefusedAsync(node, "run", "old"));
        Assert.Equal((ErrorCode.RunCompleted, "The run run has ended (failed)."), await AdmitRefusedAsync(node, "run", "new"));
        Assert.Single(await node.Registry.ListStreamsAsync(Environment, Id("run"), Cancelled));
    }

    [Fact]
    public async Task A_yes_is_answered_from_memory_until_it_expires()
    {
        var clock = new FakeTimeProvider();
        var node = await StartNodeAsync(clock);
        var other = await StartNodeAsync(clock); // Hears no announcements of the first.
        await RegisterAsync(node, Registration("run"));
        await AdmitAsync(other, "run", "a");
        await node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Completed, null, Cancelled);

        clock.Advance(TimeSpan.FromSeconds(29));
        await AdmitAsync(other, "run", "a");
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(ErrorCode.RunCompleted, (await AdmitRefusedAsync(other, "run", "a")).Code);
    }

    [Fact]
    public async Task A_server_that_hears_of_the_end_forgets_its_yes_at_once()
    {
        var node = await StartNodeAsync();
        var announcements = node.Services.GetRequiredService<IRegistryAnnouncements>();
        var other = await StartNodeAsync(configure: services => services.AddSingleton(announcements));
        await RegisterAsync(node, Registration("run"));
        await AdmitAsync(other, "run", "a");

        await node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Completed, null, Cancelled);

        Assert.Equal(ErrorCode.RunCompleted, (await AdmitRefusedAsync(other, "run", "a")).Code);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_has_said_that_a_run_is_ended_admits_its_streams_no_more_though_the_end_is_not_announced_yet(bool whole)
    {
        var clock = new FakeTimeProvider();
        var node = await StartNodeAsync(clock);
        var other = await StartNodeAsync(clock); // Hears no announcements of the first.
        await RegisterAsync(node, Registration("run"));
        await AdmitAsync(other, "run", "a");
        node.Observer.Failure = new TimeoutException();
        await Assert.ThrowsAsync<TimeoutException>(() => node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Completed, null, Cancelled));

        var told = whole
            ? await other.Registry.FindAsync(Environment, Id("run"), Cancelled)
            : await other.Registry.FindBriefAsync(Environment, Id("run"), Cancelled);

        Assert.Equal(RunStatus.Completed, told!.Status);
        Assert.Equal(ErrorCode.RunCompleted, (await AdmitRefusedAsync(other, "run", "a")).Code);
    }

    [Fact]
    public async Task A_run_of_version_1_has_ten_streams_in_all()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run", version: StreamsVersion.V1));
        for (var i = 0; i < 10; i++)
        {
            await AdmitAsync(node, "run", $"key{i}");
            await node.Registry.MarkClosedAsync(Stream("run", $"key{i}"), Outcome.Completed, Cancelled);
        }

        Assert.Equal(
            (ErrorCode.LimitReached, "A run of streams version v1 has at most 10 streams; this one has them."),
            await AdmitRefusedAsync(node, "run", "key10"));
        await AdmitAsync(node, "run", "key3");
    }

    [Fact]
    public async Task A_run_of_version_1_has_five_active_streams()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run", version: StreamsVersion.V1));
        for (var i = 0; i < 5; i++) await AdmitAsync(node, "run", $"key{i}");

        Assert.Equal(
            (ErrorCode.LimitReached, "A run of streams version v1 has at most 5 active streams; this one has them. Close one first."),
            await AdmitRefusedAsync(node, "run", "key5"));
        await node.Registry.MarkClosedAsync(Stream("run", "key2"), Outcome.Completed, Cancelled);
        await AdmitAsync(node, "run", "key5");
    }

    [Fact]
    public async Task A_run_of_version_1_takes_no_inputs_and_nothing_else_that_looks_like_one_is_refused()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("old", version: StreamsVersion.V1));
        await RegisterAsync(node, Registration("new"));

        Assert.Equal((ErrorCode.InvalidRequest, "The run old has streams version v1; inputs need v2."), await AdmitRefusedAsync(node, "old", "$input:x"));
        Assert.Empty(await node.Registry.ListStreamsAsync(Environment, Id("old"), Cancelled));
        foreach (var key in (string[])["$input:", "$input", "x$input:x", "$Input:x"]) await AdmitAsync(node, "old", key);
        await AdmitAsync(node, "new", "$input:x");
    }

    [Fact]
    public async Task The_limits_of_version_1_hold_when_two_servers_admit_at_once()
    {
        TestNode[] nodes = [await StartNodeAsync(), await StartNodeAsync()];
        await RegisterAsync(nodes[0], Registration("run", version: StreamsVersion.V1));

        var admissions = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(
            () => nodes[i % 2].Registry.AdmitAsync(Stream("run", $"key{i / 2}"), Cancelled).AsTask(), Cancelled)));

        var rows = await nodes[0].Registry.ListStreamsAsync(Environment, Id("run"), Cancelled);
        Assert.Equal(5, rows.Count);
        for (var i = 0; i < admissions.Length; i++)
            Assert.Equal(rows.Any(row => row.Key.Value == $"key{i / 2}"), admissions[i] is StreamAdmission.Admitted);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task No_stream_is_made_after_its_run_has_ended(int seed)
    {
        TestNode[] nodes = [await StartNodeAsync(), await StartNodeAsync()];
        await RegisterAsync(nodes[0], Registration("run"));
        var random = new Random(seed);
        var startOfEnd = random.Next(60); // The end begins beside this admission, on either server.
        var endingNode = nodes[random.Next(2)];

        // The end reads the rows when no more can be made: what is there then is all there will ever be.
        Task<IReadOnlyList<StreamRow>>? end = null;
        var admissions = new List<Task<StreamAdmission>>();
        for (var i = 0; i < 60; i++)
        {
            if (i == startOfEnd) end = Task.Run(() => EndAsync(endingNode), Cancelled);
            var (node, key) = (nodes[i % 2], $"key{i}");
            admissions.Add(Task.Run(() => node.Registry.AdmitAsync(Stream("run", key), Cancelled).AsTask(), Cancelled));
        }
        var rowsAtEnd = (await end!).Select(row => row.Key).ToHashSet();
        var outcomes = await Task.WhenAll(admissions);

        var rows = await nodes[0].Registry.ListStreamsAsync(Environment, Id("run"), Cancelled);
        Assert.True(rowsAtEnd.SetEquals(rows.Select(row => row.Key)), $"Seed {seed}: a row appeared after the end.");
        for (var i = 0; i < outcomes.Length; i++)
        {
            var made = rows.Any(row => row.Key.Value == $"key{i}");
            Assert.True(made || outcomes[i] is StreamAdmission.Refused, $"Seed {seed}: key{i} was admitted without a row.");
        }
        Assert.All(rows, row => Assert.Equal(Outcome.Cancelled, row.Outcome));
    }

    private static async Task<IReadOnlyList<StreamRow>> EndAsync(TestNode node)
    {
        Assert.IsType<CompleteOutcome.Completed>(
            await node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Cancelled, null, Cancelled));
        return await node.Registry.ListStreamsAsync(Environment, Id("run"), Cancelled);
    }

    private static async Task AdmitAsync(TestNode node, string run, string key) =>
        Assert.IsType<StreamAdmission.Admitted>(await node.Registry.AdmitAsync(Stream(run, key), Cancelled));

    private static async Task<(ErrorCode Code, string Detail)> AdmitRefusedAsync(TestNode node, string run, string key)
    {
        var refusal = Assert.IsType<StreamAdmission.Refused>(await node.Registry.AdmitAsync(Stream(run, key), Cancelled)).Refusal;
        return (refusal.Code, refusal.Detail);
    }
}
