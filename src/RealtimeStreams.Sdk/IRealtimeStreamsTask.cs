namespace RealtimeStreams.Sdk;

/// <summary>What a worker does for each run of a task, as a class whose constructor is given services. Made anew for each run, in a scope of its own.</summary>
/// <typeparam name="TPayload">What the task is given.</typeparam>
/// <typeparam name="TOutput">What it gives.</typeparam>
public interface IRealtimeStreamsTask<in TPayload, TOutput>
{
    /// <summary>Does the work of one run.</summary>
    /// <remarks>
    /// The run ends as <c>completed</c> with what is returned, as <c>cancelled</c> when a <see cref="RunCancelledException"/> is thrown, or any
    /// <see cref="OperationCanceledException"/> after somebody has asked it to stop, and as <c>failed</c> with the message of any other exception. A run can be given to another worker while this one still is at it,
    /// if the server was not reached for the time of the lease: then the token is cancelled, and what comes of this attempt is dropped.
    /// </remarks>
    /// <param name="run">The run that is going on, also in <see cref="RunContext.Current"/>. Its pipes are waited for.</param>
    /// <param name="payload">What the run was triggered with; null when with nothing.</param>
    /// <param name="cancellationToken">Cancelled when somebody asks the run to stop, which is acknowledged, when the run was ended by somebody else, when the claim was lost, and when the host stops and
    /// <see cref="RealtimeStreamsWorkerOptions.DrainTime"/> is over; the run is then given back. <see cref="RunContext.StopCause"/> says which, and
    /// <see cref="RunContext.StopRequested"/> is cancelled by a request alone.</param>
    Task<TOutput> RunAsync(RunContext run, TPayload payload, CancellationToken cancellationToken);
}

/// <summary>What a worker does for each run of a task that gives no output. See <see cref="IRealtimeStreamsTask{TPayload, TOutput}"/>.</summary>
/// <typeparam name="TPayload">What the task is given.</typeparam>
public interface IRealtimeStreamsTask<in TPayload>
{
    /// <inheritdoc cref="IRealtimeStreamsTask{TPayload, TOutput}.RunAsync" path="/summary|/remarks|/param" />
    Task RunAsync(RunContext run, TPayload payload, CancellationToken cancellationToken);
}
