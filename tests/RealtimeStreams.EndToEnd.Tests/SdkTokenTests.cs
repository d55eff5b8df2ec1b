using System.Runtime.CompilerServices;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>The C# client with access tokens in place of the secret key, against two real servers: nothing is lost and nothing comes twice when they end.</summary>
[Collection<AdminServersCollection>]
public sealed class SdkTokenTests(AdminServers servers) : IAsyncLifetime
{
    private static readonly RealtimeStream<int> Numbers = RealtimeStream.Define<int>("numbers");

    /// <summary>The shortest that shows something: whole seconds, and the second in which it is issued has begun.</summary>
    private static readonly TimeSpan Shortly = TimeSpan.FromSeconds(2);

    private RealtimeStreamsClient? backend;
    private int asked;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private RealtimeStreamsClient Backend => backend!;

    /// <summary>An environment of its own for each test, as one revokes all tokens.</summary>
    public async ValueTask InitializeAsync()
    {
        var key = (await servers.MakeAsync()).SecretKey;
        backend = new RealtimeStreamsClient(new RealtimeStreamsClientOptions { BaseAddress = servers.First.Address, SecretKey = key });
    }

    public ValueTask DisposeAsync()
    {
        backend?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_read_and_a_pipe_go_on_over_several_expiries_with_every_chunk_once()
    {
        var run = await RegisterAsync();
        using var reader = NewClient(_ => IssueAsync(AccessScopes.ReadRun(run)));
        var pipeAsked = 0;
        using var writer = NewClient(async _ =>
        {
            pipeAsked++;
            return await IssueAsync(AccessScopes.AppendToStream(run, "numbers"));
        });

        var piping = writer.Streams.Pipe(Numbers, CountAsync(() => pipeAsked >= 3 && asked - pipeAsked >= 3, Cancelled), new PipeOptions { Target = run }, Cancelled);
        var read = reader.Streams.ReadAsync(Numbers, run, cancellationToken: Cancelled);
        var reading = read.Items.ToListAsync(Cancelled).AsTask();
        var receipt = await piping.WaitUntilCompleteAsync(Cancelled);
        await Backend.Runs.CompleteAsync(run, cancellationToken: Cancelled);
        var items = await reading;

        Assert.Equal(Enumerable.Range(0, (int)receipt.Chunks).Select(n => new StreamItem<int>(n, n)), items);
        Assert.Equal((ReadEnding.Closed, Outcome.Completed), (read.Ending, read.Outcome));
        TestContext.Current.TestOutputHelper?.WriteLine($"{items.Count} chunks, {pipeAsked} tokens for the writer, {asked - pipeAsked} for the reader.");
    }

    [Fact]
    public async Task Readers_of_one_client_share_each_renewal()
    {
        var run = await RegisterAsync();
        using var client = NewClient(_ => IssueAsync(AccessScopes.ReadRun(run)));
        await Backend.Streams.AppendAsync(Numbers, 0, new AppendOptions { Target = run }, Cancelled);
        var reads = Enumerable.Range(0, 20).Select(_ => client.Streams.ReadAsync(Numbers, run, cancellationToken: Cancelled).ToListAsync(Cancelled).AsTask()).ToArray();

        await CountAsync(() => asked >= 3, Cancelled).LastAsync(Cancelled);
        await Backend.Streams.AppendAsync(Numbers, 1, new AppendOptions { Target = run }, Cancelled);
        await Backend.Runs.CompleteAsync(run, cancellationToken: Cancelled);

        foreach (var read in reads) Assert.Equal([0, 1], await read);
        Assert.InRange(asked, 3, 19); // One each would be 20 at the first renewal.
    }

    [Fact]
    public async Task When_all_tokens_are_revoked_a_read_goes_on_with_a_new_one()
    {
        var run = await RegisterAsync();
        using var client = NewClient(_ => IssueAsync(AccessScopes.ReadRun(run), TimeSpan.FromMinutes(5)));
        await Backend.Streams.AppendAsync(Numbers, 0, new AppendOptions { Target = run }, Cancelled);
        var caughtUp = new TaskCompletionSource();
        var reading = client.Streams.ReadAsync(Numbers, run, new ReadOptions { OnCaughtUp = _ => caughtUp.TrySetResult() }, Cancelled).ToListAsync(Cancelled).AsTask();
        await caughtUp.Task.WaitAsync(Cancelled);

        var before = TimeProvider.System.GetUtcNow();
        var until = await Backend.Tokens.RevokeAllAsync(Cancelled);
        await CountAsync(() => asked >= 2, Cancelled).LastAsync(Cancelled);
        await Backend.Streams.AppendAsync(Numbers, 1, new AppendOptions { Target = run }, Cancelled);
        await Backend.Runs.CompleteAsync(run, cancellationToken: Cancelled);

        Assert.Equal([0, 1], await reading);
        Assert.InRange(until, before.AddSeconds(-2), before.AddMinutes(1));
    }

    [Fact]
    public async Task A_read_whose_token_is_revoked_for_good_ends_with_a_clear_error_behind_its_last_chunk()
    {
        var run = await RegisterAsync();
        var issued = await Backend.Tokens.IssueAsync([AccessScopes.ReadRun(run)], cancellationToken: Cancelled);
        using var client = NewClient(_ =>
        {
            asked++;
            return new(issued.Token);
        });
        await Backend.Streams.AppendAsync(Numbers, 7, new AppendOptions { Target = run }, Cancelled);
        var got = new List<int>();
        var read = client.Streams.ReadAsync(Numbers, run, cancellationToken: Cancelled);

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(async () =>
        {
            await foreach (var number in read)
            {
                got.Add(number);
                await Backend.Tokens.RevokeAsync(issued.Id, Cancelled);
            }
        });

        Assert.Equal(("unauthorized", 401, false), (failure.Code, failure.Status, failure.Retryable));
        Assert.DoesNotContain(issued.Token, failure.ToString(), StringComparison.Ordinal);
        Assert.Equal([7], got);
        Assert.Equal(1, read.NextIndex);
        Assert.InRange(asked, 2, 3);
        await Backend.Tokens.RevokeAsync(issued.Id, Cancelled); // Again.
        var unknown = await Assert.ThrowsAsync<RealtimeStreamsException>(() => Backend.Tokens.RevokeAsync("tok_1/..", Cancelled));
        Assert.Equal("not_found", unknown.Code);
    }

    [Fact]
    public async Task A_token_does_what_its_scopes_say_and_nothing_else()
    {
        var (run, other) = (await RegisterAsync(), await RegisterAsync());
        using var client = NewClient(_ => IssueAsync(AccessScopes.AppendToStream(run, "numbers"), TimeSpan.FromMinutes(5)));

        await client.Streams.AppendAsync(Numbers, 1, new AppendOptions { Target = run }, Cancelled);
        var forbidden = await Assert.ThrowsAsync<RealtimeStreamsException>(
            () => client.Streams.ReadAsync(Numbers, run, cancellationToken: Cancelled).ToListAsync(Cancelled).AsTask());
        var foreign = await Assert.ThrowsAsync<RealtimeStreamsException>(() => client.Runs.GetAsync(other, Cancelled));
        var issuing = await Assert.ThrowsAsync<RealtimeStreamsException>(() => client.Tokens.IssueAsync(["admin"], cancellationToken: Cancelled));

        Assert.Equal(("forbidden", "run_not_found", "forbidden"), (forbidden.Code, foreign.Code, issuing.Code));
        Assert.Equal(1, asked); // Another token would allow no more.
        var refused = await Assert.ThrowsAsync<RealtimeStreamsException>(() => Backend.Tokens.IssueAsync(["look:runs"], cancellationToken: Cancelled));
        Assert.Equal("invalid_request", refused.Code);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Backend.Tokens.IssueAsync(["admin"], TimeSpan.FromSeconds(1.5), Cancelled));
    }

    [Fact]
    public async Task A_read_whose_callback_fails_says_why_and_goes_on_later_where_it_was()
    {
        var run = await RegisterAsync();
        var isSignedIn = true;
        using var client = NewClient(_ => isSignedIn ? IssueAsync(AccessScopes.ReadRun(run)) : throw new InvalidOperationException("Signed out."));
        await Backend.Streams.AppendAsync(Numbers, 1, new AppendOptions { Target = run }, Cancelled);
        var read = client.Streams.ReadAsync(Numbers, run, cancellationToken: Cancelled);
        var got = new List<int>();

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(async () =>
        {
            await foreach (var number in read)
            {
                got.Add(number);
                isSignedIn = false;
            }
        });
        Assert.Equal((RealtimeStreamsException.NoAccessToken, "Signed out."), (failure.Code, failure.InnerException?.Message));

        isSignedIn = true;
        await Backend.Streams.AppendAsync(Numbers, 2, new AppendOptions { Target = run }, Cancelled);
        await Backend.Runs.CompleteAsync(run, cancellationToken: Cancelled);
        await foreach (var number in read) got.Add(number);
        Assert.Equal([1, 2], got);
    }

    private RealtimeStreamsClient NewClient(Func<CancellationToken, ValueTask<string>> provider) =>
        new(new RealtimeStreamsClientOptions { BaseAddress = servers.Second.Address, AccessTokenProvider = provider });

    private async ValueTask<string> IssueAsync(string scope, TimeSpan? lifetime = null)
    {
        Interlocked.Increment(ref asked);
        return (await Backend.Tokens.IssueAsync([scope], lifetime ?? Shortly, Cancelled)).Token;
    }

    private async Task<string> RegisterAsync() => (await Backend.Runs.RegisterAsync(new RegisterRun(), Cancelled)).Id;

    /// <summary>0, 1, 2 … at 50 a second, until something has happened.</summary>
    private static async IAsyncEnumerable<int> CountAsync(Func<bool> until, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var beat = new PeriodicTimer(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        for (var n = 0; n < 6000; n++)
        {
            await beat.WaitForNextTickAsync(cancellationToken);
            yield return n;
            if (until()) yield break;
        }
        throw new TimeoutException("What was waited for has not happened after two minutes.");
    }
}
