using System.Globalization;
using System.Net.Http.Json;
using System.Runtime.ExceptionServices;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Http;
using RealtimeStreams.Sdk.Json;
using RealtimeStreams.Sdk.Stopping;
using RealtimeStreams.Sdk.Writing;

namespace RealtimeStreams.Sdk.Runs;

/// <summary>The client's operations on runs.</summary>
internal sealed partial class RunOperations(Transport transport, ChunkJson json, IRealtimeStreamsClient client) : IRuns
{
    private const int MaxErrorCharacters = 8192; // CompleteRun.Error

    public Task RunAsync(
        RegisterRun registration, Func<RunContext, CancellationToken, Task> body, RunOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(body);
        return RunAsync(registration, DoAsync, options, cancellationToken);

        async Task<bool> DoAsync(RunContext run, CancellationToken token)
        {
            await body(run, token).ConfigureAwait(false);
            return true;
        }
    }

    public async Task<TResult> RunAsync<TResult>(
        RegisterRun registration, Func<RunContext, CancellationToken, Task<TResult>> body, RunOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(registration);
        ArgumentNullException.ThrowIfNull(body);
        options ??= new RunOptions();
        registration = registration with { ParentRunId = registration.ParentRunId ?? FindParent() };
        var info = await RegisterAsync(registration, cancellationToken).ConfigureAwait(false);
        if (info.Status is not RunStatus.Open)
        {
            var code = ErrorCode.RunCompleted;
            throw new RealtimeStreamsException(new Problem { Code = code.Code, Status = code.Status, Title = code.Title, Detail = $"The run '{info.Id}' has ended before." });
        }

        if (!options.StopOnRequest) return await RunAsync(info, body, options, null, cancellationToken).ConfigureAwait(false);
        var stop = WatchStop(info);
        await using var watching = stop.ConfigureAwait(false);
        return await RunAsync(info, body, options, stop, cancellationToken).ConfigureAwait(false);
    }

    private async Task<TResult> RunAsync<TResult>(
        RunInfo info, Func<RunContext, CancellationToken, Task<TResult>> body, RunOptions options, StopSignal? stop, CancellationToken cancellationToken)
    {
        using var activity = SdkTelemetry.Start("run", info.Id);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stop?.Token ?? CancellationToken.None);
        var context = new RunContext(client, info, options.Attempt, stopping.Token, stop, FindCause);
        TResult result;
        try
        {
            RunContext.Switch(context); // Ends with this method, as it is async.
            result = await body(context, stopping.Token).ConfigureAwait(false);
            if (await context.WhenWrittenAsync(cancellationToken).ConfigureAwait(false) is { } failure) ExceptionDispatchInfo.Throw(failure);
            if (stop is not null) await stop.WhenAcknowledgedAsync(transport.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            SdkTelemetry.Fail(activity, failure);
            await stopping.CancelSafelyAsync(transport.Logger).ConfigureAwait(false);
            if (stop is not null) await stop.WhenAcknowledgedAsync(transport.Time, cancellationToken).ConfigureAwait(false);
            await EndAsync(context, failure, options, cancellationToken).ConfigureAwait(false);
            throw;
        }
        await CompleteAsync(info.Id, Outcome.Completed, null, CancellationToken.None).ConfigureAwait(false);
        transport.Logger.LogRunEnded(info.Id, Outcome.Completed);
        return result;

        RunStopCause FindCause() =>
            stop?.Request is not null && stop.Token.IsCancellationRequested ? RunStopCause.Requested
            : cancellationToken.IsCancellationRequested ? RunStopCause.HostStopping
            : stopping.IsCancellationRequested ? RunStopCause.Failed
            : RunStopCause.None;
    }

    public RunScope Enter(RunInfo run, uint attempt)
    {
        ArgumentNullException.ThrowIfNull(run);
        return new RunScope(new RunContext(client, run, attempt, CancellationToken.None));
    }

    public Task<RunInfo> RegisterAsync(RegisterRun registration, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(registration);
        // With an id of the client's own a repeated request finds the run of the first. So it does with an idempotency key, which may find an older run.
        registration = registration with
        {
            Id = registration.Id is { } id ? RunId.Parse(id).Value
                : registration.IdempotencyKey is null ? RandomIds.NewRun(transport.Time.GetUtcNow()) : null,
            StreamsVersion = registration.StreamsVersion ?? transport.Options.StreamsVersion,
        };
        return transport.SendAsync(
            "register",
            () => transport.NewRequest(HttpMethod.Post, Paths.Runs, JsonContent.Create(registration, NativeJson.Default.RegisterRun)),
            NativeJson.Default.RunInfo,
            cancellationToken);
    }

    public Task<RunInfo> GetAsync(string runId, CancellationToken cancellationToken)
    {
        var path = Paths.Run(RunId.Parse(runId));
        return transport.SendAsync("get_run", () => transport.NewRequest(HttpMethod.Get, path), NativeJson.Default.RunInfo, cancellationToken);
    }

    public Task<RunPage> ListAsync(RunQuery? query, CancellationToken cancellationToken)
    {
        query ??= new RunQuery();
        var parts = new List<string>();
        Add("status", query.Status?.ToString().ToLowerInvariant());
        Add("tag", query.Tag);
        Add("taskId", query.TaskId);
        Add("cursor", query.Cursor);
        Add("limit", query.Limit?.ToString(CultureInfo.InvariantCulture));
        var path = parts.Count == 0 ? Paths.Runs : $"{Paths.Runs}?{string.Join('&', parts)}";
        return transport.SendAsync("list_runs", () => transport.NewRequest(HttpMethod.Get, path), NativeJson.Default.RunPage, cancellationToken);

        void Add(string name, string? value)
        {
            if (value is not null) parts.Add($"{name}={Uri.EscapeDataString(value)}");
        }
    }

    public Task<RunInfo> CompleteAsync(string runId, Outcome outcome, string? error, CancellationToken cancellationToken) =>
        CompleteAsync(runId, new CompleteRun(outcome, error), cancellationToken);

    public Task<RunInfo> CompleteAsync(string runId, CompleteRun completion, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(completion);
        var path = $"{Paths.Run(RunId.Parse(runId))}/complete";
        if (completion.Error is { Length: > MaxErrorCharacters } error) completion = completion with { Error = error[..MaxErrorCharacters] };
        return transport.SendAsync(
            "complete",
            () => transport.NewRequest(HttpMethod.Post, path, JsonContent.Create(completion, NativeJson.Default.CompleteRun)),
            NativeJson.Default.RunInfo,
            cancellationToken);
    }

    public Task<AppendReceipt> SendInputAsync<T>(
        string runId, RealtimeStream<T> input, T value, string? idempotencyKey, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (InputStreams.FindName(input.StreamKey) is null)
            throw new ArgumentException($"The stream '{input.Key}' is no input. Define it with RealtimeStream.DefineInput.", nameof(input));
        var options = new AppendOptions { Target = StreamTarget.Run(runId), IdempotencyKey = idempotencyKey };
        return client.Streams.AppendAsync(input, value, options, cancellationToken);
    }

    public async Task EraseAsync(string runId, CancellationToken cancellationToken)
    {
        var path = Paths.Run(RunId.Parse(runId));
        var tries = 0;
        try
        {
            var receipt = await transport.SendAsync("erase", NewRequest, NativeJson.Default.ErasureReceipt, cancellationToken).ConfigureAwait(false);
            while (receipt.State != ErasureState.Erased)
            {
                var id = receipt.Id;
                receipt = await transport.SendAsync("tell_erasure", () => NewQuestion(id), NativeJson.Default.ErasureReceipt, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (RealtimeStreamsException gone) when (tries > 1 && gone.Status == 404)
        {
            // The first request did it, and its answer was lost.
        }

        HttpRequestMessage NewRequest()
        {
            tries++;
            return transport.NewRequest(HttpMethod.Delete, path);
        }

        HttpRequestMessage NewQuestion(string id)
        {
            const int Seconds = 20;
            var request = transport.NewRequest(HttpMethod.Get, $"{Paths.Erasures}/{Uri.EscapeDataString(id)}?waitInSeconds={Seconds}");
            Transport.AllowWait(request, TimeSpan.FromSeconds(Seconds));
            return request;
        }
    }

    private string? FindParent() => RunContext.Current is { } parent && ReferenceEquals(parent.Client, client) ? parent.RunId : null;

    /// <summary>Ends a run whose body threw. What went wrong on the way is logged: the body's exception is the one to throw.</summary>
    private async Task EndAsync(RunContext context, Exception failure, RunOptions options, CancellationToken cancellationToken)
    {
        var isCancelled = failure is OperationCanceledException && (cancellationToken.IsCancellationRequested || context.StopRequested.IsCancellationRequested);
        using var limit = new CancellationTokenSource(options.EndTimeout, transport.Time);
        try
        {
            await context.WhenWrittenAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException late)
        {
            transport.Logger.LogCompletionFailed(context.RunId, late);
        }
        if (options.KeepOpenOnFailure) return;
        try
        {
            var outcome = isCancelled ? Outcome.Cancelled : Outcome.Failed;
            await CompleteAsync(context.RunId, outcome, isCancelled ? null : failure.Message, limit.Token).ConfigureAwait(false);
            transport.Logger.LogRunEnded(context.RunId, outcome);
        }
        catch (Exception second) when (second is RealtimeStreamsException or OperationCanceledException)
        {
            transport.Logger.LogCompletionFailed(context.RunId, second);
        }
    }
}
