using System.Buffers.Text;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk.Tests;

/// <summary>Tokens that a callback gives: when it is asked, and what comes of its failures.</summary>
public sealed class AccessTokenTests
{
    private static readonly RealtimeStream<string> Words = RealtimeStream.Define<string>("words");

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    private int asked;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_asked_with_the_first_request_and_again_shortly_before_its_token_ends()
    {
        await using var server = await StartAsync();
        using var client = NewClient(server, _ => Give(TimeSpan.FromMinutes(1)));
        Assert.Equal(0, asked);

        await client.Runs.ListAsync(cancellationToken: Cancelled);
        clock.Advance(TimeSpan.FromSeconds(47));
        await client.Runs.ListAsync(cancellationToken: Cancelled);
        Assert.Equal(1, asked);
        clock.Advance(TimeSpan.FromSeconds(1)); // A fifth of it is left.
        await client.Runs.ListAsync(cancellationToken: Cancelled);

        Assert.Equal(2, asked);
        Assert.Equal(3, server.Credentials.Count);
        Assert.Equal(2, server.Credentials.Distinct().Count());
    }

    [Theory]
    [InlineData("opaque")]
    [InlineData("a.b.c")]
    [InlineData("a.bm8ganNvbg.c")]
    [InlineData("a.W10.c")]
    [InlineData("a.eyJleHAiOiJzb29uIn0.c")]
    [InlineData("a.eyJleHAiOjF9.c")] // Expired long ago, by this machine's clock.
    public async Task A_token_whose_end_cannot_be_read_is_used_until_it_is_refused(string token)
    {
        await using var server = await StartAsync();
        using var client = NewClient(server, _ => Give(token));

        await client.Runs.ListAsync(cancellationToken: Cancelled);
        clock.Advance(TimeSpan.FromDays(400));
        await client.Runs.ListAsync(cancellationToken: Cancelled);

        Assert.Equal(1, asked);
        Assert.All(server.Credentials, sent => Assert.Equal($"Bearer {token}", sent));
    }

    [Fact]
    public async Task Many_that_need_a_token_at_once_share_one_question()
    {
        await using var server = await StartAsync();
        var answer = new TaskCompletionSource<string>();
        using var client = NewClient(server, _ => { asked++; return new(answer.Task); });

        var all = Enumerable.Range(0, 50).Select(_ => client.Runs.ListAsync(cancellationToken: Cancelled)).ToArray();
        using var impatient = new CancellationTokenSource();
        var one = client.Runs.ListAsync(cancellationToken: impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one); // Its going away ends nobody else's question.
        answer.SetResult("token");
        await Task.WhenAll(all);

        Assert.Equal(1, asked);
        Assert.Equal(50, server.Requests.Count);
    }

    [Fact]
    public async Task Many_that_are_refused_at_once_share_one_replacement_and_all_succeed()
    {
        await using var server = await StartAsync();
        using var client = NewClient(server, _ => Next(), time: TimeProvider.System);
        await client.Runs.ListAsync(cancellationToken: Cancelled);
        server.Others = (context, _) => context.Request.Headers.Authorization == "Bearer token-1" ? ScriptedServer.RefuseAsync(context, ErrorCode.Unauthorized) : ListAsync(context);

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.Runs.ListAsync(cancellationToken: Cancelled)));

        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task A_replacement_that_is_refused_too_is_a_refusal_for_good_and_is_told_as_one()
    {
        await using var server = await StartAsync();
        server.Others = (context, _) => ScriptedServer.RefuseAsync(context, ErrorCode.Unauthorized);
        using var client = NewClient(server, _ => Give("revoked"), time: TimeProvider.System);

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(() => client.Runs.ListAsync(cancellationToken: Cancelled));
        Assert.Equal(("unauthorized", 401, false), (failure.Code, failure.Status, failure.Retryable));
        Assert.Equal(2, asked);
        Assert.Equal(2, server.Requests.Count);

        // The next operation asks once more, and is well when that helps.
        await Assert.ThrowsAsync<RealtimeStreamsException>(() => client.Runs.ListAsync(cancellationToken: Cancelled));
        Assert.Equal(3, asked);
        server.Others = (context, _) => ListAsync(context);
        await client.Runs.ListAsync(cancellationToken: Cancelled);
        Assert.Equal(4, asked);
    }

    [Fact]
    public async Task A_secret_key_that_is_refused_is_not_tried_again()
    {
        await using var server = await StartAsync();
        server.Others = (context, _) => ScriptedServer.RefuseAsync(context, ErrorCode.Unauthorized);
        using var client = server.NewClient();

        await Assert.ThrowsAsync<RealtimeStreamsException>(() => client.Runs.ListAsync(cancellationToken: Cancelled));

        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task What_the_callback_throws_is_told_at_once_and_no_request_is_sent()
    {
        await using var server = await StartAsync();
        var thrown = new InvalidOperationException("Nobody is signed in.");
        using var client = NewClient(server, _ => throw thrown);

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(() => client.Runs.ListAsync(cancellationToken: Cancelled));

        Assert.Equal((RealtimeStreamsException.NoAccessToken, false), (failure.Code, failure.Retryable));
        Assert.Same(thrown, failure.InnerException);
        Assert.Contains("Nobody is signed in.", failure.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_connection_that_the_callback_lost_is_tried_again()
    {
        await using var server = await StartAsync();
        using var client = NewClient(server, _ => asked++ < 3 ? throw new HttpRequestException("Gone.") : new("token"), time: TimeProvider.System);

        await client.Runs.ListAsync(cancellationToken: Cancelled);

        Assert.Equal(4, asked);
    }

    [Fact]
    public async Task A_callback_that_never_answers_is_given_up_by_the_request_timeout()
    {
        await using var server = await StartAsync();
        var waiting = new TaskCompletionSource();
        using var client = NewClient(
            server,
            async token =>
            {
                token.Register(() => waiting.TrySetCanceled(token));
                asked++;
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None); // Deaf to its cancellation.
                return "";
            },
            options => options.GiveUpAfter = TimeSpan.Zero);

        var listing = client.Runs.ListAsync(cancellationToken: Cancelled);
        while (!listing.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(() => listing);
        Assert.Equal((RealtimeStreamsException.NoAccessToken, true), (failure.Code, failure.Retryable));
        await Assert.ThrowsAsync<TaskCanceledException>(() => waiting.Task);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("line\nbreak")]
    [InlineData("ä")]
    public async Task What_cannot_be_a_token_is_no_answer_of_a_callback(string token)
    {
        await using var server = await StartAsync();
        using var client = NewClient(server, _ => Give(token));

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(() => client.Runs.ListAsync(cancellationToken: Cancelled));

        Assert.Equal(RealtimeStreamsException.NoAccessToken, failure.Code);
        if (token.Length > 1) Assert.DoesNotContain(token, failure.ToString(), StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_token_that_could_not_be_renewed_in_time_is_used_to_its_end_and_then_missed()
    {
        await using var server = await StartAsync();
        using var client = NewClient(server, _ => asked == 0 ? Give(TimeSpan.FromMinutes(1)) : throw new InvalidOperationException($"No {asked++}."));
        await client.Runs.ListAsync(cancellationToken: Cancelled);

        clock.Advance(TimeSpan.FromSeconds(50));
        await client.Runs.ListAsync(cancellationToken: Cancelled);
        await client.Runs.ListAsync(cancellationToken: Cancelled);
        Assert.Equal(2, asked); // Not with each request.
        clock.Advance(TimeSpan.FromSeconds(10));

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(() => client.Runs.ListAsync(cancellationToken: Cancelled));
        Assert.Equal(RealtimeStreamsException.NoAccessToken, failure.Code);
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task A_read_that_its_tokens_end_goes_on_at_its_cursor_with_the_next_ones()
    {
        await using var server = await StartAsync();
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(0, "\"a\"") + Expired(1)));
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(1, "\"b\"") + ScriptedServer.Chunk(2, "\"c\"") + Expired(3, "revoked")));
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Ended(3)));
        using var client = NewClient(server, _ => Next(), options => options.GiveUpAfter = TimeSpan.Zero); // It is no failure.

        Assert.Equal(["a", "b", "c"], await client.Streams.ReadAsync(Words, "run_1", cancellationToken: Cancelled).ToListAsync(Cancelled));

        Assert.Equal([0, 1, 3], server.Requests.Select(request => int.Parse(request[^1..], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal(["Bearer token-1", "Bearer token-2", "Bearer token-3"], server.Credentials);
    }

    [Fact]
    public async Task A_read_from_the_end_goes_on_where_the_server_had_placed_it()
    {
        await using var server = await StartAsync();
        server.Reads.Enqueue(ScriptedServer.Events(Expired(7)));
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(7, "\"h\"") + ScriptedServer.Ended(8)));
        using var client = NewClient(server, _ => Next());

        var read = client.Streams.ReadAsync(Words, "run_1", new ReadOptions { StartIndex = -1 }, Cancelled);
        Assert.Equal([new(7, "h")], await read.Items.ToListAsync(Cancelled));

        Assert.EndsWith("?startIndex=7", server.Requests.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_whose_callback_throws_fails_with_that_and_can_go_on_later()
    {
        await using var server = await StartAsync();
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(0, "\"a\"") + Expired(1)));
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(1, "\"b\"") + ScriptedServer.Ended(2)));
        var isSignedIn = true;
        using var client = NewClient(server, _ => isSignedIn ? Next() : throw new InvalidOperationException("Signed out."));
        var read = client.Streams.ReadAsync(Words, "run_1", cancellationToken: Cancelled);
        var got = new List<string>();

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(async () =>
        {
            await foreach (var word in read)
            {
                got.Add(word);
                isSignedIn = false;
            }
        });
        Assert.Equal(RealtimeStreamsException.NoAccessToken, failure.Code);
        Assert.Equal(1, read.NextIndex);
        isSignedIn = true;
        await foreach (var word in read) got.Add(word);

        Assert.Equal(["a", "b"], got);
    }

    [Fact]
    public async Task A_pipe_that_is_refused_in_its_middle_goes_on_with_another_token_and_stores_all_once()
    {
        await using var server = await StartAsync();
        server.AppendFaults.Enqueue((_, store) => store());
        server.AppendFaults.Enqueue((context, _) => ScriptedServer.RefuseAsync(context, ErrorCode.Unauthorized));
        using var client = NewClient(server, _ => Next(), time: TimeProvider.System);

        var words = Enumerable.Range(0, 100).Select(n => $"w{n}").ToList();
        await client.Streams.Pipe(Words, SlowlyAsync(words, server), new PipeOptions { Target = "run_1" }, Cancelled).WaitUntilCompleteAsync(Cancelled);

        Assert.Equal(words.Select(word => $"\"{word}\""), server.Chunks);
        Assert.Equal(2, asked);
        Assert.Equal("Bearer token-2", server.Credentials.Last());
    }

    [Fact]
    public void A_key_and_a_callback_together_are_a_mistake_and_so_is_neither()
    {
        var options = new RealtimeStreamsClientOptions { BaseAddress = new Uri("http://127.0.0.1:1"), SecretKey = "key", AccessTokenProvider = _ => new("token") };
        Assert.Contains("must not be set together", Assert.Throws<OptionsValidationException>(() => new RealtimeStreamsClient(options)).Message, StringComparison.Ordinal);

        options = new RealtimeStreamsClientOptions { BaseAddress = options.BaseAddress };
        Assert.Contains("AccessTokenProvider in its place", Assert.Throws<OptionsValidationException>(() => new RealtimeStreamsClient(options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scopes_name_runs_and_streams_as_the_server_reads_them()
    {
        Assert.Equal("read:streams:a%2Fb%25/c/d", AccessScopes.ReadStream("a/b%", "c/d"));
        Assert.Equal("append:streams:run_1/s", AccessScopes.AppendToStream("run_1", "s"));
        Assert.Equal(
            ["read:runs:r:1", "write:runs:r:1", "input:runs:r:1", "cancel:runs:r:1"],
            [AccessScopes.ReadRun("r:1"), AccessScopes.WriteRun("r:1"), AccessScopes.SendToRun("r:1"), AccessScopes.CancelRun("r:1")]);
        Assert.Throws<FormatException>(() => AccessScopes.ReadRun(""));
    }

    private static async Task<ScriptedServer> StartAsync()
    {
        var server = await ScriptedServer.StartAsync();
        server.Others = (context, _) => ListAsync(context);
        return server;
    }

    private RealtimeStreamsClient NewClient(
        ScriptedServer server,
        Func<CancellationToken, ValueTask<string>> provider,
        Action<RealtimeStreamsClientOptions>? configure = null,
        TimeProvider? time = null) =>
        server.NewClient(
            options =>
            {
                options.SecretKey = null;
                options.AccessTokenProvider = provider;
                configure?.Invoke(options);
            },
            time ?? clock);

    private ValueTask<string> Give(string token)
    {
        asked++;
        return new(token);
    }

    private ValueTask<string> Next() => Give($"token-{asked + 1}");

    private ValueTask<string> Give(TimeSpan lifetime)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        return Give($"a.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"iat":{{now}},"exp":{{now + (long)lifetime.TotalSeconds}}}"""))}.{asked}");
    }

    private static Task ListAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync("""{"runs":[]}""");
    }

    private static string Expired(long nextIndex, string reason = "expired") =>
        $"event: token-expired\ndata: {{\"nextIndex\":{nextIndex},\"reason\":\"{reason}\"}}\n\n";

    private static async IAsyncEnumerable<string> SlowlyAsync(List<string> words, ScriptedServer server)
    {
        foreach (var word in words)
        {
            yield return word;
            // So that it takes several requests.
            if (word is "w10") while (server.Chunks.Count < 1) await Task.Yield();
        }
    }
}
