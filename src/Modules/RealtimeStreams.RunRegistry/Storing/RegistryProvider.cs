using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Logging;

namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>What differs between the databases.</summary>
internal abstract class RegistryProvider : IAsyncDisposable
{
    /// <summary>For people: where the registry lives. Holds no password.</summary>
    public abstract string Place { get; }

    /// <summary>A context from the pool; disposing gives it back.</summary>
    public abstract RegistryContext CreateContext();

    /// <summary>Waits for its turn among all servers of this database to set it up; disposing ends the turn.</summary>
    public abstract Task<IAsyncDisposable> TakeSetupTurnAsync(CancellationToken cancellationToken);

    /// <summary>Readies a database for migrations. Called within a set-up turn.</summary>
    public abstract Task PrepareAsync(RegistryContext context, CancellationToken cancellationToken);

    /// <summary>Waits for its turn to write, where the database has one writer at a time; disposing ends the turn.</summary>
    public abstract ValueTask<IDisposable?> TakeWriteTurnAsync(CancellationToken cancellationToken);

    /// <summary>Whether a command failed because the database could not be reached, or not in time, so that it may succeed later.</summary>
    public abstract bool IsUnavailable(Exception exception);

    /// <summary>Whether a command failed because a row with its key is there.</summary>
    public abstract bool IsDuplicate(Exception exception);

    public abstract ValueTask DisposeAsync();

    /// <summary>What both providers' contexts share.</summary>
    protected static void ConfigureShared(DbContextOptionsBuilder options, ILoggerFactory loggers) => options
        .UseLoggerFactory(loggers)
        .UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking)
        .ConfigureWarnings(warnings => warnings.Log( // Commands are measured, and whether a failure matters is said by the caller.
            (RelationalEventId.CommandExecuted, LogLevel.Debug),
            (RelationalEventId.CommandError, LogLevel.Debug),
            (RelationalEventId.ConnectionError, LogLevel.Debug),
            (CoreEventId.QueryIterationFailed, LogLevel.Debug),
            (CoreEventId.SaveChangesFailed, LogLevel.Debug)));

    /// <summary>An exception and those inside it: EF Core wraps what the database driver threw.</summary>
    protected static IEnumerable<Exception> Unwrap(Exception exception)
    {
        for (var inner = exception; inner is not null; inner = inner.InnerException) yield return inner;
    }
}
