using System.Text;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Ingest;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;
using RealtimeStreams.RunRegistry;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Retention.Tests;

public sealed class ExpirationOnPostgresTests(PostgresFixture postgres) : ExpirationContract, IClassFixture<PostgresFixture>
{
    protected override async Task<string?> MakeDatabaseAsync() => await postgres.MakeDatabaseAsync();
}

public sealed class ExpirationOnSqliteTests : ExpirationContract
{
    protected override Task<string?> MakeDatabaseAsync() => Task.FromResult<string?>(null);
}

/// <summary>Two nodes on one broker and one database, on a clock that the test moves.</summary>
public abstract class ExpirationContract : IAsyncLifetime
{
    private static readonly TimeSpan retention = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan step = TimeSpan.FromSeconds(6); // A hundredth.

    private readonly TempFolder folder = new("expiration");
    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero));
    private TestBroker broker = null!;
    private string? database;
    private RetentionNode one = null!;
    private RetentionNode other = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    protected abstract Task<string?> MakeDatabaseAsync();

    public async ValueTask InitializeAsync()
    {
        database = await MakeDatabaseAsync();
        broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        one = await StartNodeAsync();
        other = await StartNodeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (one is not null) await one.DisposeAsync();
        if (other is not null) await other.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Live_readers_and_new_ones_on_both_nodes_are_told_the_same_first_index()
    {
        var stream = await BeginAsync("run");
        for (var i = 1; i < 10; i++)
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            await one.AppendAsync(stream, $"{i}");
        }
        RetentionNode[] nodes = [one, other];
        List<IStreamRead> reads = [];
        foreach (var node in nodes)
        {
            var read = await OpenAsync(node, stream, 0);
            Assert.Equal("0", await ChunkAsync(read));
            reads.Add(read);
        }
        clock.Advance(TimeSpan.FromMinutes(1)); // 0 is ten minutes old.
        clock.Advance(TimeSpan.FromMinutes(3.5));
        await SweepAsync();

        for (var i = 0; i < nodes.Length; i++)
        {
            await using (var tail = await nodes[i].Log.OpenTailAsync(stream, Cancelled)) // As it shares what the reader knows.
                await Until.TrueAsync(() => "The node did not learn what expired.", () => tail.FirstIndex.Value == 4);
            Assert.Equal((ReadStepKind.Trimmed, 4), await StepAsync(reads[i]));
            Assert.Equal("4", await ChunkAsync(reads[i]));
            await reads[i].DisposeAsync();
            await using var late = await OpenAsync(nodes[i], stream, 0);
            Assert.Equal((ReadStepKind.Trimmed, 4), await StepAsync(late));
            for (var chunk = 4; chunk < 10; chunk++) Assert.Equal($"{chunk}", await ChunkAsync(late));
            Assert.Equal((4, 10), await nodes[i].Log.FindAsync(stream, Cancelled) is { } summary ? (summary.FirstIndex.Value, summary.NextIndex.Value) : default);
        }
        Assert.Equal(4, Expired());
    }

    [Fact]
    public async Task A_stream_of_which_nothing_is_left_goes_on_at_its_index_and_a_closed_one_keeps_its_end_and_is_never_looked_at_again()
    {
        var (open, closed) = (await BeginAsync("run", "open"), await BeginAsync("run", "closed"));
        await one.Log.CloseAsync(closed, Outcome.Failed, null, new(long.MaxValue, long.MaxValue), Cancelled);
        await one.Registry.MarkClosedAsync(closed, Outcome.Failed, Cancelled);
        clock.Advance(retention);
        await SweepAsync();
        foreach (var node in (RetentionNode[])[one, other])
        {
            Assert.Equal((1, 1), await node.Log.FindAsync(open, Cancelled) is { } summary ? (summary.FirstIndex.Value, summary.NextIndex.Value) : default);
            await using var read = await OpenAsync(node, closed, 0);
            Assert.Equal((ReadStepKind.Trimmed, 1), await StepAsync(read));
            Assert.Equal((ReadStepKind.CaughtUp, 1), await StepAsync(read));
            Assert.Equal(ReadStepKind.Ended, (await StepAsync(read)).Kind);
        }
        clock.Advance(retention);
        Assert.Equal(open, Assert.Single(await other.Get<IStreamExpiries>().FindDueAsync(10, Cancelled)).Stream);
        await SweepAsync();

        Assert.IsType<IngestOutcome.Stored>(await other.AppendAsync(open, "1"));
        Assert.Equal(ErrorCode.StreamClosed, Assert.IsType<IngestOutcome.Refused>(await other.AppendAsync(closed, "1")).Refusal.Code);
        await using var again = await OpenAsync(one, open, 0);
        Assert.Equal((ReadStepKind.Trimmed, 1), await StepAsync(again));
        Assert.Equal("1", await ChunkAsync(again));
        clock.Advance(retention - TimeSpan.FromSeconds(1));
        await SweepAsync();
        Assert.Equal(1, (await one.Log.FindAsync(open, Cancelled))!.FirstIndex.Value);
        clock.Advance(TimeSpan.FromSeconds(1) + step);
        await SweepAsync();
        Assert.Equal(2, (await one.Log.FindAsync(open, Cancelled))!.FirstIndex.Value);
    }

    [Fact]
    public async Task Each_chunk_stays_for_its_retention_and_goes_at_most_a_step_later_however_often_the_stream_is_written()
    {
        var stream = await BeginAsync("run");
        var appended = new List<DateTimeOffset> { clock.GetUtcNow() };
        for (var second = 2; second < 1_300; second += 2)
        {
            clock.Advance(TimeSpan.FromSeconds(2));
            if (second % 4 == 0)
            {
                await ((RetentionNode[])[one, other])[second % 8 / 4].AppendAsync(stream, $"{appended.Count}");
                appended.Add(clock.GetUtcNow());
            }
            await SweepAsync();
            if (second % 100 > 0) continue;
            var first = (int)(await one.Log.FindAsync(stream, Cancelled))!.FirstIndex.Value;
            if (first > 0) Assert.True(appended[first - 1] + retention <= clock.GetUtcNow(), $"Chunk {first - 1} went too early.");
            Assert.True(appended[first] + retention + step >= clock.GetUtcNow(), $"Chunk {first} is too old.");
        }
        Assert.True(Expired() > 100, "Hardly anything expired.");
    }

    [Fact]
    public async Task A_sweep_takes_a_bounded_piece_two_nodes_share_the_work_and_nothing_is_done_twice()
    {
        const int Streams = 12;
        var streams = new List<StreamAddress>();
        for (var i = 0; i < Streams; i++) streams.Add(await BeginAsync($"run{i}"));
        clock.Advance(retention);

        Assert.True(await one.ExpireAsync()); // Five at a time.
        Assert.Equal(5, Expired());
        while ((await Task.WhenAll(Task.Run(one.ExpireAsync, Cancelled), Task.Run(other.ExpireAsync, Cancelled))).Any(more => more))
        {
        }

        foreach (var stream in streams) Assert.Equal(1, (await other.Log.FindAsync(stream, Cancelled))!.FirstIndex.Value);
        Assert.Equal(Streams, Expired());
    }

    [Fact]
    public async Task What_a_node_had_claimed_when_it_died_another_finishes()
    {
        var stream = await BeginAsync("run");
        clock.Advance(retention);
        var expiries = one.Get<IStreamExpiries>();
        var due = Assert.Single(await expiries.FindDueAsync(10, Cancelled));
        Assert.NotNull(await expiries.ClaimAsync(due, clock.GetUtcNow() + TimeSpan.FromMinutes(1), Cancelled)); // Its last deed.

        await other.ExpireAsync();
        Assert.Equal(0, (await other.Log.FindAsync(stream, Cancelled))!.FirstIndex.Value);
        clock.Advance(TimeSpan.FromMinutes(1));
        await other.ExpireAsync();

        Assert.Equal(1, (await other.Log.FindAsync(stream, Cancelled))!.FirstIndex.Value);
    }

    [Fact]
    public async Task Runs_and_environments_have_retentions_of_their_own_and_a_shorter_one_counts_for_what_is_there()
    {
        var brief = await BeginAsync("brief", own: TimeSpan.FromMinutes(1));
        var plain = await BeginAsync("plain");
        clock.Advance(TimeSpan.FromMinutes(1));
        await SweepAsync();
        Assert.Equal((1, 0), (await FirstIndexAsync(brief), await FirstIndexAsync(plain)));

        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.IsType<EnvironmentSettingsOutcome.Changed>(await one.Get<IEnvironmentSettings>().ChangeAsync(
            RetentionNode.Environment, new Dictionary<string, long?> { ["retentionInSeconds"] = 120 }, "a test", Cancelled));
        await one.ExpireAsync();

        Assert.Equal(1, await FirstIndexAsync(plain));
    }

    [Fact]
    public async Task While_the_log_is_away_nothing_is_given_up_and_it_is_when_it_is_back()
    {
        await using var proxy = new TcpProxy(broker.Port);
        await using var far = await RetentionNode.StartAsync(
            new UriBuilder(broker.Url) { Port = proxy.Port }.Uri.ToString().TrimEnd('/'), folder.FullPath, clock, database, Settings);
        var stream = await BeginAsync("run");
        clock.Advance(retention);
        proxy.Refuse();
        Assert.True(proxy.CutAll() > 0, "There was nothing to cut.");
        Assert.False(await far.ExpireAsync());
        Assert.Contains(far.Logs.GetSnapshot(), log => log.Id.Id == 1311);
        Assert.Equal(0, await FirstIndexAsync(stream));

        clock.Advance(TimeSpan.FromMinutes(1));
        await SweepAsync();
        Assert.Equal(1, await FirstIndexAsync(stream));
    }

    private static readonly Dictionary<string, string?> Settings = new()
    {
        ["RealtimeStreams:Retention"] = "00:10:00",
        ["RealtimeStreams:Sweep:MaxExpiries"] = "5",
    };

    private Task<RetentionNode> StartNodeAsync() => RetentionNode.StartAsync(broker.Url, folder.FullPath, clock, database, Settings);

    private async Task<StreamAddress> BeginAsync(string run, string key = "default", TimeSpan? own = null)
    {
        var id = RunId.Parse(run);
        await one.Registry.RegisterAsync(
            RetentionNode.Environment, new RunRegistration(id, null, null, null, [], StreamsVersion.V2) { Retention = own }, Cancelled);
        var stream = new StreamAddress(RetentionNode.Environment, id, StreamKey.Parse(key));
        Assert.IsType<IngestOutcome.Stored>(await one.AppendAsync(stream, "0"));
        return stream;
    }

    /// <summary>Both nodes sweep at once.</summary>
    private Task<bool[]> SweepAsync() => Task.WhenAll(Task.Run(one.ExpireAsync, Cancelled), Task.Run(other.ExpireAsync, Cancelled));

    private async Task<long> FirstIndexAsync(StreamAddress stream) => (await other.Log.FindAsync(stream, Cancelled))!.FirstIndex.Value;

    private long Expired() => one.Expired.GetMeasurementSnapshot().Concat(other.Expired.GetMeasurementSnapshot()).Sum(count => count.Value);

    private static async Task<IStreamRead> OpenAsync(RetentionNode node, StreamAddress stream, long start) =>
        Assert.IsType<ReadOpening.Opened>(await node.Reads.OpenAsync(stream, start, Cancelled)).Read;

    private static async Task<(ReadStepKind Kind, long From)> StepAsync(IStreamRead read)
    {
        var taken = await read.NextAsync(TimeSpan.FromMinutes(1), Cancelled);
        return (taken.Kind, taken.From.Value);
    }

    /// <summary>The next step's chunk, which is one.</summary>
    private static async Task<string> ChunkAsync(IStreamRead read)
    {
        var taken = await read.NextAsync(TimeSpan.FromMinutes(1), Cancelled);
        Assert.Equal(ReadStepKind.Chunks, taken.Kind);
        var position = (int)(taken.From.Value - taken.Record!.FirstIndex.Value);
        Assert.Equal(taken.Record.Count, position + 1);
        return Encoding.UTF8.GetString(taken.Record.Chunk(position).Span);
    }
}
