using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Runs;

namespace RealtimeStreams.Sdk.Stopping;

/// <summary>
/// Waits at the server until somebody asks a run to stop, cancels its token, and acknowledges that. Whatever the server or the network do meanwhile, it goes on;
/// it ends with the run, or when it is disposed.
/// </summary>
internal sealed class StopListener : IAsyncDisposable
{
    /// <summary>How long the server holds a request.</summary>
    private static readonly TimeSpan hold = TimeSpan.FromSeconds(20);

    /// <summary>Between tries, once the client has given up trying by itself.</summary>
    private static readonly TimeSpan rest = TimeSpan.FromSeconds(30);

    /// <summary>Between requests that were not held.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly StopRequests requests;
    private readonly RunInfo run;
    private readonly string worker;
    private readonly CancellationTokenSource requested = new();
    private readonly CancellationTokenSource learned = new(); // Ends the wait when the request is heard of elsewhere.
    private readonly CancellationTokenSource done = new();
    private readonly Task listening;
    private StopNotice? request;

    /// <param name="requests">What is sent.</param>
    /// <param name="run">The run, with its attempt if it was claimed.</param>
    /// <param name="worker">Who acknowledges.</param>
    public StopListener(StopRequests requests, RunInfo run, string worker)
    {
        this.requests = requests;
        this.run = run;
        this.worker = worker;
        Token = requested.Token;
        if (run.StopRequested is { } before)
        {
            request = before;
            requested.Cancel(); // Before anybody has the token.
        }
        listening = ListenAsync();
    }

    public string RunId => run.Id;

    public CancellationToken Token { get; }

    public StopNotice? Request => Volatile.Read(ref request);

    /// <summary>Somebody else has heard of the request.</summary>
    public void Learn(StopNotice notice)
    {
        if (Interlocked.CompareExchange(ref request, notice, null) is null) learned.Cancel();
    }

    /// <summary>Waits until a request that came is acknowledged, as far as that can be. At once where none came.</summary>
    public Task WhenAcknowledgedAsync(CancellationToken cancellationToken) => Request is null ? Task.CompletedTask : listening.WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await done.CancelAsync().ConfigureAwait(false);
        await listening.ConfigureAwait(false);
        requested.Dispose();
        learned.Dispose();
        done.Dispose();
    }

    private async Task ListenAsync()
    {
        await Task.Yield(); // Whoever begins a run does not wait for its first request.
        try
        {
            if (!await WaitAsync().ConfigureAwait(false)) return;
            // The work stops as soon as it can, whether or not the server is there; and the server is told, whatever the work does with it.
            var telling = requested.CancelAsync();
            try
            {
                await requests.SeeAsync(run.Id, worker, run.Attempt, done.Token).ConfigureAwait(false);
            }
            finally
            {
                await telling.ConfigureAwait(false);
            }
        }
        catch (AggregateException failure)
        {
            requests.LogNotTold(run.Id, failure); // What somebody had the token call threw.
        }
        catch (OperationCanceledException) when (done.IsCancellationRequested)
        {
            // Nobody wants to know any more.
        }
        catch (Exception failure)
        {
            requests.LogNotSeen(run.Id, failure); // Whatever it was: it is not to take the run with it, which waits for this one at its end.
        }
    }

    /// <returns>False when there will be no request: the run has ended.</returns>
    private async Task<bool> WaitAsync()
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(done.Token, learned.Token);
        var wait = TimeSpan.Zero;
        while (Request is null)
        {
            try
            {
                if (wait != TimeSpan.Zero) await requests.RestAsync(wait, either.Token).ConfigureAwait(false);
                var began = requests.Time.GetTimestamp();
                var receipt = await requests.TryWaitAsync(run.Id, StopState.Requested, hold, either.Token).ConfigureAwait(false);
                // Something in between that does not hold the request must not be asked without a pause.
                wait = requests.Time.GetElapsedTime(began) < Pause ? Pause : TimeSpan.Zero;
                if (receipt is null) continue;
                if (receipt.RequestedAt is not { } at) return false;
                Interlocked.CompareExchange(ref request, new StopNotice(at, receipt.Reason), null);
            }
            catch (OperationCanceledException) when (learned.IsCancellationRequested && !done.IsCancellationRequested)
            {
                break;
            }
            catch (Exception failure) when (!done.IsCancellationRequested)
            {
                requests.LogNotWatched(run.Id, failure);
                wait = failure is RealtimeStreamsException { Retryable: false } ? Timeout.InfiniteTimeSpan : rest; // Refused for good: then renewals may still tell.
            }
        }
        return true;
    }
}
