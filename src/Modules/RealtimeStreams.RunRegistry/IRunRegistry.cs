using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Knows the runs of all environments and the names of their streams.</summary>
/// <exception cref="RegistryUnavailableException">Thrown by every call when the database cannot be reached.</exception>
public interface IRunRegistry
{
    /// <summary>Registers a run. The same id again with the same content finds the run that is there, and so does a repeated idempotency key. A new one is refused as <see cref="ErrorCode.LimitReached"/> where the environment has as many open runs as it may.</summary>
    Task<RegisterOutcome> RegisterAsync(EnvironmentId environment, RunRegistration registration, CancellationToken cancellationToken);

    /// <summary>The run with its payload and output; null when this environment has none of that id.</summary>
    Task<Run?> FindAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken);

    /// <summary>The run without its payload, metadata and output, which may be large; null when this environment has none of that id.</summary>
    Task<Run?> FindBriefAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken) =>
        FindAsync(environment, run, cancellationToken);

    /// <summary>A run's parent and root, which never change; null when this environment has no such run. Answers from memory for 30 s.</summary>
    ValueTask<RunFamily?> FindFamilyAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken);

    /// <summary>A page of runs, newest first.</summary>
    Task<RunListOutcome> ListAsync(EnvironmentId environment, RunQuery query, CancellationToken cancellationToken);

    /// <summary>Ends a run, then has every <see cref="IRunObserver"/> end what hangs on it. Ending it again with the same outcome succeeds.</summary>
    /// <remarks>When an observer throws, so does this call; the run has ended all the same, and the call, or <see cref="RepeatAsync"/>, repeats the rest.</remarks>
    /// <param name="environment">The tenant.</param>
    /// <param name="run">The run.</param>
    /// <param name="end">How it ends. When it ended so before, the first error and output stay.</param>
    /// <param name="cancellationToken">Gives up. Once the end is stored, the observers are called whether or not anybody waits.</param>
    Task<CompleteOutcome> CompleteAsync(EnvironmentId environment, RunId run, RunEnd end, CancellationToken cancellationToken);

    /// <summary>Ends a run that gives nothing.</summary>
    Task<CompleteOutcome> CompleteAsync(
        EnvironmentId environment, RunId run, Outcome outcome, string? error, CancellationToken cancellationToken) =>
        CompleteAsync(environment, run, new RunEnd(outcome, error), cancellationToken);

    /// <summary>Erases a run: marks it, has every <see cref="IRunObserver"/> erase what hangs on it, then removes its streams' rows. False when there is none.</summary>
    /// <remarks>
    /// From the mark on nobody finds the run, and its id is taken until the rows are gone. When an observer throws, so does this call;
    /// the call, or <see cref="RepeatAsync"/>, repeats the rest. <see cref="RepeatAsync"/> also erases once more a minute later, because
    /// another server may have admitted an append shortly before.
    /// </remarks>
    Task<bool> EraseAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken);

    /// <summary>Says whether a stream may be written, and makes its row at the first time, if its run is open.</summary>
    /// <remarks>Answers from memory when it said yes less than 30 s ago. The limits on the number of a run's streams (<see cref="IRunLimits"/>) are enforced here, and that runs of version v1 take no inputs (<see cref="InputStreams"/>).</remarks>
    ValueTask<StreamAdmission> AdmitAsync(StreamAddress stream, CancellationToken cancellationToken);

    /// <summary>Says whether a stream may be written, as above, and has its writers' lease be this long from now on.</summary>
    /// <remarks>
    /// A longer lease holds at once. A shorter one holds once the time that the writers still had is over, so that nobody is given up sooner than was promised. What
    /// was said less than 30 s ago is not stored again.
    /// </remarks>
    /// <param name="stream">The stream.</param>
    /// <param name="writerLease">From <see cref="LeaseBounds.Shortest"/> to <see cref="LeaseBounds.Longest"/>, in whole seconds; null: as it is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<StreamAdmission> AdmitAsync(StreamAddress stream, TimeSpan? writerLease, CancellationToken cancellationToken) =>
        AdmitAsync(stream, cancellationToken);

    /// <summary>Says whether a stream may still be written by somebody who writes for longer, as a body does that stays open, and has a yes of before.</summary>
    /// <remarks>
    /// To be asked before everything that is stored: an erasure promises that nothing is admitted any more, and what was said before is no longer true then. As quick as above, without
    /// allocation, while the yes is remembered. A run that was erased and registered anew is another: refused as <see cref="ErrorCode.StreamGone"/>.
    /// </remarks>
    /// <param name="stream">The stream.</param>
    /// <param name="before">An earlier yes to it.</param>
    /// <param name="writerLease">As above.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<StreamAdmission> AdmitAgainAsync(StreamAddress stream, StreamAdmission.Admitted before, TimeSpan? writerLease, CancellationToken cancellationToken);

    /// <summary>The names and times of a run's streams, by key (byte by byte). None for a run that is not there.</summary>
    Task<IReadOnlyList<StreamRow>> ListStreamsAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken);

    /// <summary>A page of a run's streams that are not marked closed, by key (byte by byte). None for a run that is not there, or is being erased.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="run">The run.</param>
    /// <param name="after">Only keys behind this one; null: from the first.</param>
    /// <param name="most">At most so many, 1 to 1,000.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<IReadOnlyList<StreamRow>> ListOpenStreamsAsync(
        EnvironmentId environment, RunId run, StreamKey? after, int most, CancellationToken cancellationToken);

    /// <summary>One stream's name and times; null when it has not begun.</summary>
    Task<StreamRow?> FindStreamAsync(StreamAddress stream, CancellationToken cancellationToken);

    /// <summary>Notes that a stream has ended. Idempotent: the first outcome stays.</summary>
    Task MarkClosedAsync(StreamAddress stream, Outcome outcome, CancellationToken cancellationToken);

    /// <summary>Repeats what a crash or a failed observer cut off of completions and erasures.</summary>
    /// <remarks>Safe to call on several nodes at once. What began less than <see cref="RunRegistryOptions.RepeatAfter"/> ago is left to whoever is at it.</remarks>
    /// <param name="after">Where an earlier call ended; null to begin with the first run.</param>
    /// <param name="most">At most so many runs, 1 to 1,000.</param>
    /// <param name="cancellationToken">Stops between two runs.</param>
    Task<Repeated> RepeatAsync(RepeatCursor? after, int most, CancellationToken cancellationToken);
}
