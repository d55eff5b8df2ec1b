using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Knows the runs of all environments and the names of their streams.</summary>
/// <exception cref="RegistryUnavailableException">Thrown by every call when the database cannot be reached.</exception>
public interface IRunRegistry
{
    /// <summary>Registers a run. The same id again with the same content finds the run that is there.</summary>
    Task<RegisterOutcome> RegisterAsync(EnvironmentId environment, RunRegistration registration, CancellationToken cancellationToken);

    /// <summary>The run; null when this environment has none of that id.</summary>
    Task<Run?> FindAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken);

    /// <summary>A page of runs, newest first.</summary>
    Task<RunList> ListAsync(EnvironmentId environment, RunQuery query, CancellationToken cancellationToken);

    /// <summary>Ends a run, then has every <see cref="IRunObserver"/> end what hangs on it. Ending it again with the same outcome succeeds.</summary>
    Task<CompleteOutcome> CompleteAsync(
        EnvironmentId environment, RunId run, Outcome outcome, string? error, CancellationToken cancellationToken);

    /// <summary>Erases a run: marks it, has every <see cref="IRunObserver"/> erase what hangs on it, then removes the rows. False when there is none.</summary>
    Task<bool> EraseAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken);

    /// <summary>Says whether a stream may be written, and makes its row at the first time, if its run is open. Answers from memory when it said yes less than 30 s ago.</summary>
    ValueTask<StreamAdmission> AdmitAsync(StreamAddress stream, CancellationToken cancellationToken);

    /// <summary>The names and times of a run's streams, by key.</summary>
    Task<IReadOnlyList<StreamRow>> ListStreamsAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken);

    /// <summary>Notes that a stream has ended. Idempotent.</summary>
    Task MarkClosedAsync(StreamAddress stream, Outcome outcome, CancellationToken cancellationToken);

    /// <summary>Streams not marked closed of runs that have ended, and runs whose erasure was cut off: what a crash left. At most <paramref name="most"/> of each.</summary>
    Task<Leftovers> FindLeftoversAsync(int most, CancellationToken cancellationToken);
}

/// <summary>Reacts to what happens to runs. Its calls are repeated after a crash, so they are idempotent.</summary>
public interface IRunObserver
{
    /// <summary>The run has ended, and no new stream of it can be admitted: end those that are open.</summary>
    Task OnCompletedAsync(EnvironmentId environment, RunId run, Outcome outcome, CancellationToken cancellationToken);

    /// <summary>The run is being erased: erase what is stored of it.</summary>
    Task OnErasingAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken);
}

/// <summary>Knows the environments by their secret keys.</summary>
public interface IEnvironments
{
    /// <summary>The environment that a secret key opens; null when none. Compares digests in constant time and answers from memory for 30 s.</summary>
    ValueTask<EnvironmentId?> FindBySecretKeyAsync(string secretKey, CancellationToken cancellationToken);
}

/// <summary>What is said of a run when it is registered.</summary>
/// <param name="Id">Its id; made by the registry when null.</param>
/// <param name="TaskId">What is being run; at most 256 bytes.</param>
/// <param name="Parent">The run that started it.</param>
/// <param name="Root">The first of the chain; the parent's root (or the parent) when null.</param>
/// <param name="Tags">At most 32 of 1 to 128 bytes.</param>
/// <param name="StreamsVersion">Decides its limits.</param>
public sealed record RunRegistration(
    RunId? Id, string? TaskId, RunId? Parent, RunId? Root, IReadOnlyList<string> Tags, StreamsVersion StreamsVersion);

/// <summary>A run.</summary>
public sealed record Run(
    RunId Id,
    string? TaskId,
    RunId? Parent,
    RunId? Root,
    IReadOnlyList<string> Tags,
    RunStatus Status,
    StreamsVersion StreamsVersion,
    string? Error,
    DateTimeOffset CreatedAt,
    DateTimeOffset? CompletedAt);

/// <summary>What a registration came to.</summary>
public abstract record RegisterOutcome
{
    private RegisterOutcome()
    {
    }

    /// <summary>The run is there: made now, or before with the same content.</summary>
    public sealed record Registered(Run Run, bool New) : RegisterOutcome;

    /// <summary>Nothing was stored.</summary>
    public sealed record Refused(Refusal Refusal) : RegisterOutcome;
}

/// <summary>What ending a run came to.</summary>
public abstract record CompleteOutcome
{
    private CompleteOutcome()
    {
    }

    /// <summary>The run has ended, now or before with the same outcome.</summary>
    public sealed record Completed(Run Run) : CompleteOutcome;

    /// <summary>There is no such run, or it ended otherwise.</summary>
    public sealed record Refused(Refusal Refusal) : CompleteOutcome;
}

/// <summary>Whether a stream may be written.</summary>
public abstract record StreamAdmission
{
    private StreamAdmission()
    {
    }

    /// <summary>It may, within the limits of the run's version.</summary>
    public sealed record Admitted(StreamsVersion Version) : StreamAdmission;

    /// <summary>It may not.</summary>
    public sealed record Refused(Refusal Refusal) : StreamAdmission;
}

/// <summary>Which runs to list.</summary>
/// <param name="Status">Only those of this status.</param>
/// <param name="Tag">Only those with this tag.</param>
/// <param name="TaskId">Only those of this task.</param>
/// <param name="Cursor">Where the last page ended.</param>
/// <param name="Limit">At most so many, 1 to 200.</param>
public sealed record RunQuery(RunStatus? Status, string? Tag, string? TaskId, string? Cursor, int Limit);

/// <summary>A page of runs.</summary>
/// <param name="Runs">The runs, newest first.</param>
/// <param name="NextCursor">Where the next page begins; null on the last.</param>
public sealed record RunList(IReadOnlyList<Run> Runs, string? NextCursor);

/// <summary>What the registry keeps of a stream.</summary>
public sealed record StreamRow(StreamKey Key, DateTimeOffset CreatedAt, Outcome? Outcome, DateTimeOffset? ClosedAt);

/// <summary>What a crash left to be done.</summary>
/// <param name="OpenStreams">Streams not marked closed, of ended runs, with the run's outcome.</param>
/// <param name="Erasing">Runs marked for erasure that are still there.</param>
public sealed record Leftovers(
    IReadOnlyList<(StreamAddress Stream, Outcome Outcome)> OpenStreams,
    IReadOnlyList<(EnvironmentId Environment, RunId Run)> Erasing);

/// <summary>The database cannot be reached.</summary>
public sealed class RegistryUnavailableException : Exception
{
    /// <summary>Makes one.</summary>
    public RegistryUnavailableException()
        : this("The registry's database cannot be reached.")
    {
    }

    /// <summary>Makes one.</summary>
    public RegistryUnavailableException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one.</summary>
    public RegistryUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
