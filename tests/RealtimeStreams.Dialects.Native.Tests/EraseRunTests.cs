using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Dialects.Native.Runs;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Tests;

public sealed class EraseRunTests : IDisposable
{
    private static readonly Erasure begun = new("erasure_1", RunId.Parse("run"), null, DateTimeOffset.UnixEpoch, "key of a test", null);

    private readonly CancellationTokenSource stopping = new();
    private readonly CancellationTokenSource gone = new();
    private readonly ScriptedWatch credential = new();

    public void Dispose()
    {
        stopping.Dispose();
        gone.Dispose();
        credential.Dispose();
    }

    [Theory]
    [InlineData("credential")]
    [InlineData("server")]
    [InlineData("client")]
    public async Task The_wait_ends_with_the_credential_the_server_and_the_client_and_what_was_begun_is_told(string first)
    {
        var context = new DefaultHttpContext { RequestAborted = gone.Token };
        var erasing = EraseRun.HandleAsync(
            context, new Caller(new Credential(EnvironmentId.Parse("test"), null)), new RunPath(EnvironmentId.Parse("test"), RunId.Parse("run")), "30",
            new NeverDone(), credential, new ScriptedLifetime(stopping.Token));
        Assert.False(erasing.IsCompleted);

        if (first == "credential") credential.Finish(AccessEnd.Revoked);
        else await (first == "server" ? stopping : gone).CancelAsync();

        var answer = Assert.IsType<JsonHttpResult<ErasureReceipt>>((await erasing).Result);
        Assert.Equal((202, begun.Id, ErasureState.Erasing), (answer.StatusCode, answer.Value!.Id, answer.Value.State));
        Assert.Equal("/api/v1/erasures/erasure_1", context.Response.Headers.Location);
    }

    /// <summary>Tells the receipt when the wait is ended.</summary>
    private sealed class NeverDone : IErasures
    {
        public async Task<Erasure?> EraseAsync(EnvironmentId environment, RunId run, string by, TimeSpan wait, CancellationToken endWait)
        {
            var ended = new TaskCompletionSource();
            await using var registration = endWait.Register(ended.SetResult);
            await ended.Task;
            return begun;
        }

        public Task<Erasure?> FindAsync(EnvironmentId environment, string id, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<int> SweepAsync(int most, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
