using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>Registers, inspects and ends runs, and runs delegates as runs. Safe for many threads.</summary>
public interface IRuns
{
    /// <summary>Runs <paramref name="body"/> as a registered run: registers it, makes it the run that is going on, waits for its open pipes
    /// and writers to be acknowledged, and completes it.</summary>
    /// <remarks>
    /// The outcome is <c>completed</c> when the body returns and all its pipes succeeded; <c>cancelled</c> when it ends with an
    /// <see cref="OperationCanceledException"/> after <paramref name="cancellationToken"/> was cancelled, or the run was asked to stop
    /// (<see cref="RunOptions.StopOnRequest"/>); otherwise <c>failed</c> with the exception's message.
    /// Exceptions are thrown on, also that of a pipe whose <see cref="StreamPipe{T}.Completion"/> nobody asked for.
    /// Inside another run of the same client that one becomes the parent, unless the registration names a parent.
    /// </remarks>
    /// <param name="registration">The run; the client makes an id when it has none, so that a retry registers no second one.</param>
    /// <param name="body">The work. Its token is cancelled with <paramref name="cancellationToken"/>.</param>
    /// <param name="options">Attempt and limits; null: the defaults.</param>
    /// <param name="cancellationToken">Asks the body to stop.</param>
    /// <exception cref="RealtimeStreamsException">The run could not be registered or completed, or has ended before.</exception>
    Task RunAsync(
        RegisterRun registration,
        Func<RunContext, CancellationToken, Task> body,
        RunOptions? options = null,
        CancellationToken cancellationToken = default);

    /// <inheritdoc cref="RunAsync(RegisterRun, Func{RunContext, CancellationToken, Task}, RunOptions, CancellationToken)" />
    /// <returns>What the body returned.</returns>
    Task<TResult> RunAsync<TResult>(
        RegisterRun registration,
        Func<RunContext, CancellationToken, Task<TResult>> body,
        RunOptions? options = null,
        CancellationToken cancellationToken = default);

    /// <summary>Makes a run the one that is going on here, for workers that register and complete runs by themselves.</summary>
    /// <param name="run">The run, as the server tells it.</param>
    /// <param name="attempt">The attempt, 0 or more: the epoch of all that is written in it.</param>
    /// <returns>Ends the scope: gives back the run that was going on before, and waits for the open pipes and writers.</returns>
    RunScope Enter(RunInfo run, uint attempt = 0);

    /// <summary>Registers a run, or finds it registered with the same content.</summary>
    /// <exception cref="RealtimeStreamsException">The id is taken by a run with other content, or the server was not reached in time.</exception>
    Task<RunInfo> RegisterAsync(RegisterRun registration, CancellationToken cancellationToken = default);

    /// <summary>Tells a run with its streams.</summary>
    /// <exception cref="RealtimeStreamsException">There is no such run, or the server was not reached in time.</exception>
    Task<RunInfo> GetAsync(string runId, CancellationToken cancellationToken = default);

    /// <summary>Lists runs, newest first, a page at a time.</summary>
    /// <exception cref="RealtimeStreamsException">The server was not reached in time.</exception>
    Task<RunPage> ListAsync(RunQuery? query = null, CancellationToken cancellationToken = default);

    /// <summary>Completes a run: closes its open streams, and refuses later appends.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="outcome">completed, failed or cancelled.</param>
    /// <param name="error">What went wrong; cut to 8,192 characters.</param>
    /// <param name="cancellationToken">Gives up waiting. The run may be completed or not.</param>
    /// <exception cref="RealtimeStreamsException">There is no such run, it ended with another outcome, or the server was not reached in time.</exception>
    Task<RunInfo> CompleteAsync(
        string runId, Outcome outcome = Outcome.Completed, string? error = null, CancellationToken cancellationToken = default);

    /// <summary>Completes a run with all that can be said of its end: an output, or the claim that must still hold.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="completion">The end. With <see cref="CompleteRun.Worker"/> and <see cref="CompleteRun.Attempt"/> only the claim's holder completes.</param>
    /// <param name="cancellationToken">Gives up waiting. The run may be completed or not.</param>
    /// <exception cref="RealtimeStreamsException">There is no such run, it ended with another outcome, the claim was lost
    /// (<c>claim_lost</c>), or the server was not reached in time.</exception>
    Task<RunInfo> CompleteAsync(string runId, CompleteRun completion, CancellationToken cancellationToken = default);

    /// <summary>Registers a run that waits for a worker to claim it.</summary>
    /// <typeparam name="TPayload">What the task is given: anything that <c>System.Text.Json</c> writes.</typeparam>
    /// <param name="taskId">The task, 1 to 256 bytes.</param>
    /// <param name="payload">What it is given; null for nothing.</param>
    /// <param name="options">Id, parents, tags; null: the defaults. Inside another run of the same client that one becomes the parent.</param>
    /// <param name="cancellationToken">Gives up waiting. The run may be triggered or not.</param>
    /// <returns>The run, new or found by its id or idempotency key. Its streams can be read at once.</returns>
    /// <exception cref="RealtimeStreamsException">The id is taken by a run with other content, or the server was not reached in time.</exception>
    Task<RunInfo> TriggerAsync<TPayload>(
        string taskId, TPayload payload, TriggerOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Claims the oldest triggered run of these tasks that nobody is at. Exactly one of all that claim gets it.</summary>
    /// <remarks>Hosts use <c>AddRealtimeStreamsTask</c> instead, which claims, renews and completes. When the answer gets lost on its way, the run that
    /// was claimed with it comes back once its lease has run out.</remarks>
    /// <param name="taskIds">The tasks, 1 to 100.</param>
    /// <param name="options">Who claims, for how long; null: the defaults.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The run with its payload, worker and attempt; null when none came in time.</returns>
    /// <exception cref="RealtimeStreamsException">The server was not reached in time.</exception>
    Task<RunInfo?> ClaimAsync(IReadOnlyList<string> taskIds, ClaimOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Prolongs a claim: it holds for <paramref name="lease"/> from now on.</summary>
    /// <param name="claimed">The run, as <see cref="ClaimAsync"/> gave it.</param>
    /// <param name="lease">1 second to 1 hour, in whole seconds.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="RealtimeStreamsException">The claim was lost (<c>claim_lost</c>), the run has ended, or the server was not reached in time.</exception>
    Task<RunInfo> RenewAsync(RunInfo claimed, TimeSpan lease, CancellationToken cancellationToken = default);

    /// <summary>Gives a claimed run back: another worker can claim it at once, as its next attempt.</summary>
    /// <param name="claimed">The run, as <see cref="ClaimAsync"/> gave it.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="RealtimeStreamsException">The claim was lost (<c>claim_lost</c>), the run has ended, or the server was not reached in time.</exception>
    Task<RunInfo> ReleaseAsync(RunInfo claimed, CancellationToken cancellationToken = default);

    /// <summary>Sends to a run: appends to one of its inputs, which the run takes with <see cref="RunContext.Inputs{T}(RealtimeStream{T}, long?)"/>.</summary>
    /// <typeparam name="T">The type of what is sent.</typeparam>
    /// <param name="runId">The run. It need not take inputs yet: they wait for it.</param>
    /// <param name="input">Which input (<see cref="RealtimeStream.DefineInput{T}"/>).</param>
    /// <param name="value">What is sent.</param>
    /// <param name="idempotencyKey">1 to 128 bytes: sent again with the same key within ten minutes it is delivered once. Absent: made for this call, whose retries it covers.</param>
    /// <param name="cancellationToken">Gives up waiting. The value may be stored or not.</param>
    /// <returns>Its index in the input, <see cref="AppendReceipt.FirstIndex"/>.</returns>
    /// <exception cref="RealtimeStreamsException">There is no such run, it has ended (<c>run_completed</c>), or the server was not reached in time.</exception>
    Task<AppendReceipt> SendInputAsync<T>(
        string runId, RealtimeStream<T> input, T value, string? idempotencyKey = null, CancellationToken cancellationToken = default);

    /// <summary>Asks a run to stop. Its worker and its readers are told; it ends when its worker ends it. One that waits for its first worker is cancelled at once.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="reason">Why, at most 1,024 characters, for all who read the run. Null: not said.</param>
    /// <param name="cancellationToken">Gives up waiting. The run may have been asked or not.</param>
    /// <returns>The receipt; the same for everybody who asks, as the first request stays. Without <see cref="StopReceipt.RequestedAt"/> the run had ended before.</returns>
    /// <exception cref="RealtimeStreamsException">There is no such run, or the server was not reached in time.</exception>
    Task<StopReceipt> StopAsync(string runId, string? reason = null, CancellationToken cancellationToken = default);

    /// <summary>The receipt of a request that a run stop, as it is now; null while nobody has asked.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="RealtimeStreamsException">There is no such run, or the server was not reached in time.</exception>
    Task<StopReceipt?> GetStopAsync(string runId, CancellationToken cancellationToken = default);

    /// <summary>Waits until a request to stop has come so far, or the run has ended, for as long as that takes; also for somebody to ask at all.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="state">How far. With <see cref="StopState.Stopped"/> the receipt tells where the streams ended.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="RealtimeStreamsException">There is no such run, or the server was not reached in time.</exception>
    Task<StopReceipt> WaitForStopAsync(string runId, StopState state = StopState.Stopped, CancellationToken cancellationToken = default);

    /// <summary>Watches whether somebody asks a run to stop, for whoever works at it outside of <c>AddRealtimeStreamsTask</c>, and acknowledges it.</summary>
    /// <param name="runId">A run that was not triggered.</param>
    /// <param name="acknowledgeAs">Who works at it, 1 to 256 bytes, for the receipt. Null: the machine's name and a random text.</param>
    /// <returns>The watch, which begins at once. Dispose it when the work is over.</returns>
    StopSignal WatchStop(string runId, string? acknowledgeAs = null);

    /// <summary>Watches whether somebody asks a run to stop, in the name of its claim.</summary>
    /// <param name="run">The run, as <see cref="ClaimAsync"/> or <see cref="RegisterAsync"/> gave it.</param>
    /// <returns>The watch, which begins at once. Dispose it when the work is over.</returns>
    StopSignal WatchStop(RunInfo run);

    /// <summary>Erases a run and all its streams, and returns once all of it is gone: the chunks, the rows, and what servers held in memory.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="cancellationToken">Gives up waiting. The erasure goes on.</param>
    /// <exception cref="RealtimeStreamsException">There is no such run, or the server was not reached in time.</exception>
    Task EraseAsync(string runId, CancellationToken cancellationToken = default);
}
