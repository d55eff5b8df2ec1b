using System.Runtime.ExceptionServices;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Stopping;

namespace RealtimeStreams.Sdk.Workers;

/// <summary>One claimed run, from the claim to its end: done, completed, given back, or given up.</summary>
internal sealed class ClaimedRun(RunServices services, TaskDefinition task, RunInfo run)
{
    /// <summary>Does the run. Throws nothing: what goes wrong is the run's end, or logged.</summary>
    /// <param name="drained">The host wants its runs to end now.</param>
    /// <param name="over">The host waits no longer.</param>
    public async Task RunAsync(CancellationToken drained, CancellationToken over)
    {
        var began = services.Time.GetTimestamp();
        using var activity = SdkTelemetry.Start("task", run.Id);
        var stop = services.Client.Runs.WatchStop(run);
        await using var watching = stop.ConfigureAwait(false);
        using var logged = stop.Token.Register(() => services.Logger.LogStopRequested(run.Id));
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(drained, stop.Token);
        using var ended = new CancellationTokenSource();
        var claim = new HeldClaim(services, run);
        var holding = claim.HoldAsync(stopping, stop, ended.Token);
        services.Logger.LogTaskRunStarted(run.Id, task.TaskId, run.Attempt ?? 1);

        var word = "lost";
        try
        {
            var end = await DoAsync(stopping, stop, FindCause, over).ConfigureAwait(false);
            await stop.WhenAcknowledgedAsync(services.Time, over).ConfigureAwait(false);
            if (end.Failure is { } failure) SdkTelemetry.Fail(activity, failure);
            if (claim.Loss is { } loss) services.Logger.LogTaskRunLost(run.Id, loss);
            else word = await EndAsync(end, stop, LetGoAsync, drained, over).ConfigureAwait(false);
        }
        catch (RealtimeStreamsException refusal) when (refusal.Status is 404 or 409)
        {
            services.Logger.LogTaskRunLost(run.Id, refusal);
        }
        catch (Exception failure)
        {
            // Whatever it was, such as what a handler of the HttpClient threw: the other runs of this host go on.
            services.Logger.LogTaskRunUntold(run.Id, failure);
        }
        finally
        {
            services.Telemetry.RecordTask(task.TaskId, word, services.Time.GetElapsedTime(began));
            await LetGoAsync().ConfigureAwait(false);
        }

        async Task LetGoAsync()
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await holding.ConfigureAwait(false);
        }

        RunStopCause FindCause() =>
            claim.Loss is not null ? RunStopCause.ClaimLost
            : stop.Token.IsCancellationRequested ? RunStopCause.Requested
            : drained.IsCancellationRequested ? RunStopCause.HostStopping
            : stopping.IsCancellationRequested ? RunStopCause.Failed
            : RunStopCause.None;
    }

    private async Task<End> DoAsync(CancellationTokenSource stopping, StopSignal stop, Func<RunStopCause> findCause, CancellationToken over)
    {
        var context = new RunContext(services.Client, run, (uint)(run.Attempt ?? 0), stopping.Token, stop, findCause);
        RunContext.Switch(context); // Ends with this method, as it is async.
        try
        {
            var scope = services.Scopes.CreateAsyncScope();
            JsonElement? output;
            await using (scope.ConfigureAwait(false))
                output = await task.RunAsync(scope.ServiceProvider, context, run, services.Json, stopping.Token).ConfigureAwait(false);
            if (await context.WhenWrittenAsync(stopping.Token).ConfigureAwait(false) is { } failure) ExceptionDispatchInfo.Throw(failure);
            return new End(output, null);
        }
        catch (Exception failure)
        {
            await stopping.CancelSafelyAsync(services.Logger).ConfigureAwait(false);
            try
            {
                await context.WhenWrittenAsync(over).ConfigureAwait(false); // The pipes store what they have taken.
            }
            catch (OperationCanceledException) when (over.IsCancellationRequested)
            {
                // What is not stored by now is not stored.
            }
            return new End(null, failure);
        }
    }

    /// <returns>How it ended, for the metric.</returns>
    private async Task<string> EndAsync(End end, StopSignal stop, Func<Task> letGo, CancellationToken drained, CancellationToken over)
    {
        var isStopped = end.Failure is OperationCanceledException && stop.Token.IsCancellationRequested; // Also while the host stops: nobody wants another attempt.
        if (end.Failure is OperationCanceledException and not RunCancelledException && !isStopped && drained.IsCancellationRequested)
        {
            await letGo().ConfigureAwait(false); // Or a renewal could come after it.
            await services.Client.Runs.ReleaseAsync(run, over).ConfigureAwait(false);
            services.Logger.LogTaskRunReleased(run.Id);
            return "released";
        }
        var completion = new CompleteRun(Worker: run.Worker, Attempt: run.Attempt);
        completion = end.Failure switch
        {
            null => completion with { Outcome = Outcome.Completed, Output = end.Output },
            RunCancelledException => completion with { Outcome = Outcome.Cancelled, Error = end.Failure.Message },
            _ when isStopped => completion with { Outcome = Outcome.Cancelled },
            _ => completion with { Outcome = Outcome.Failed, Error = end.Failure.Message },
        };
        try
        {
            await services.Client.Runs.CompleteAsync(run.Id, completion, over).ConfigureAwait(false);
        }
        catch (RealtimeStreamsException refusal) when (end.Output is not null && refusal.Status is 400 or 413)
        {
            // The output cannot be kept, and will not be when it is made again.
            completion = completion with { Outcome = Outcome.Failed, Output = null, Error = $"The output was refused: {refusal.Message}" };
            await services.Client.Runs.CompleteAsync(run.Id, completion, over).ConfigureAwait(false);
        }
        if (completion.Outcome == Outcome.Failed) services.Logger.LogTaskRunFailed(run.Id, task.TaskId, end.Failure);
        else services.Logger.LogRunEnded(run.Id, completion.Outcome!.Value);
        return completion.Outcome switch { Outcome.Completed => "completed", Outcome.Failed => "failed", _ => "cancelled" };
    }

    private sealed record End(JsonElement? Output, Exception? Failure);
}
