using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Tests;

public sealed class ClaimRunTests : IDisposable
{
    private static readonly Run Waiting = RunTextsTests.NewRun() with { Triggered = true, Attempt = 3, Worker = "w" };
    private readonly FakeTimeProvider clock = new();
    private readonly ScriptedClaims claims;
    private readonly CancellationTokenSource stopping = new();
    private readonly CancellationTokenSource gone = new();
    private readonly ScriptedWatch credential = new();

    public ClaimRunTests() => claims = new ScriptedClaims(clock);

    public void Dispose()
    {
        stopping.Dispose();
        gone.Dispose();
        credential.Dispose();
    }

    [Fact]
    public async Task Without_a_wait_it_looks_once()
    {
        Assert.IsType<NoContent>(await ClaimAsync(0));
        Assert.Equal((1, 1), (claims.Claims, claims.Disposed));
    }

    [Fact]
    public async Task It_looks_again_every_five_seconds_until_the_wait_is_over()
    {
        var claiming = ClaimAsync(12);
        for (var looks = 1; looks <= 3; looks++)
        {
            await claims.Waits.WaitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(looks, claims.Claims);
            clock.Advance(TimeSpan.FromSeconds(looks < 3 ? 5 : 2));
        }

        Assert.IsType<NoContent>(await claiming);
        Assert.Equal((4, 1), (claims.Claims, claims.Disposed));
    }

    [Fact]
    public async Task A_signal_has_it_look_at_once()
    {
        var claiming = ClaimAsync(30);
        await claims.Waits.WaitAsync(TestContext.Current.CancellationToken);
        claims.Next = () => new ClaimOutcome.Claimed(Waiting);
        claims.Set();

        var answer = Assert.IsType<JsonHttpResult<RunInfo>>(await claiming);
        Assert.Equal(("run", 3), (answer.Value!.Id, answer.Value.Attempt));
    }

    [Fact]
    public async Task What_was_claimed_for_a_client_that_has_gone_is_given_back()
    {
        claims.Next = () =>
        {
            gone.Cancel(); // While the database answers.
            return new ClaimOutcome.Claimed(Waiting);
        };

        Assert.IsType<NoContent>(await ClaimAsync(30));
        Assert.Equal(("run", "w", 3), claims.Released);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_wait_ends_with_the_server_and_with_its_client(bool withServer)
    {
        var claiming = ClaimAsync(30);
        await (withServer ? stopping : gone).CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => claiming); // Told as shutting_down, or to nobody.
        Assert.Equal((1, 1), (claims.Claims, claims.Disposed));
    }

    [Fact]
    public async Task A_wait_ends_with_its_key_and_claims_nothing_more()
    {
        var claiming = ClaimAsync(30);
        credential.Finish(AccessEnd.Revoked);

        Assert.Equal(401, Assert.IsType<ProblemResult>(await claiming).StatusCode);
        Assert.Equal((1, 1), (claims.Claims, claims.Disposed));
    }

    private async Task<IResult> ClaimAsync(int wait)
    {
        var context = new DefaultHttpContext { RequestAborted = gone.Token };
        context.Request.ContentType = "application/json";
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes($$"""{"tasks":["task"],"worker":"w","waitInSeconds":{{wait}}}"""));
        var endpoint = new Runs.ClaimRun(claims, claims, new GuardedWaits(credential, new ScriptedLifetime(stopping.Token)), clock);
        return (await Runs.ClaimRun.HandleAsync(context, new Caller(new Credential(EnvironmentId.Parse("test"), null)), endpoint)).Result;
    }

    /// <summary>A queue that gives what it is told to, and its one watch. Counts and notes what is asked of it.</summary>
    private sealed class ScriptedClaims(TimeProvider clock) : IRunClaims, IRunSignals, IRunSignal
    {
        private TaskCompletionSource happened = new();

        public Func<ClaimOutcome> Next { get; set; } = () => new ClaimOutcome.Nothing();

        /// <summary>Released whenever a wait has begun.</summary>
        public SemaphoreSlim Waits { get; } = new(0);

        public int Claims { get; private set; }

        public int Disposed { get; private set; }

        public (string Run, string Worker, int Attempt) Released { get; private set; }

        public void Set() => happened.SetResult();

        public Task<ClaimOutcome> ClaimAsync(
            EnvironmentId environment, IReadOnlyList<string> tasks, string worker, TimeSpan lease, CancellationToken cancellationToken)
        {
            Assert.False(cancellationToken.CanBeCanceled);
            Claims++;
            return Task.FromResult(Next());
        }

        public Task<RenewOutcome> ReleaseAsync(EnvironmentId environment, RunId run, string worker, int attempt, CancellationToken cancellationToken)
        {
            Released = (run.Value, worker, attempt);
            return Task.FromResult<RenewOutcome>(new RenewOutcome.Renewed(Waiting, Waiting.CreatedAt));
        }

        public Task<RenewOutcome> RenewAsync(
            EnvironmentId environment, RunId run, string worker, int attempt, TimeSpan lease, CancellationToken cancellationToken) => throw new NotSupportedException();

        public IRunSignal Watch(EnvironmentId environment, RunId run) => throw new NotSupportedException();

        public IRunSignal WatchTriggered(EnvironmentId environment, IReadOnlyCollection<string> tasks) => this;

        public async ValueTask<bool> WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
        {
            try
            {
                var waiting = happened.Task.WaitAsync(atMost, clock, cancellationToken);
                Waits.Release();
                await waiting;
                happened = new TaskCompletionSource();
                return true;
            }
            catch (TimeoutException)
            {
                return false;
            }
        }

        public void Dispose() => Disposed++;
    }
}
