using System.Diagnostics;

namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>Runs what the registry asks of its database: measured, with one writer at a time where there must be, and with one exception for "not now".</summary>
internal sealed class RegistryDatabase(RegistryProvider provider, RegistryTelemetry telemetry, TimeProvider clock)
{
    private volatile bool ready;

    public RegistryProvider Provider => provider;

    /// <summary>Whether the tables are there.</summary>
    public bool IsReady => ready;

    /// <summary>The tables are there from now on.</summary>
    public void MarkReady() => ready = true;

    /// <summary>The time, as both databases can keep it.</summary>
    public DateTimeOffset Now()
    {
        var now = clock.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }

    /// <summary>Reads.</summary>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached.</exception>
    public Task<T> ReadAsync<T>(
        string operation, Func<RegistryContext, CancellationToken, Task<T>> read, CancellationToken cancellationToken) =>
        ExecuteAsync(operation, writes: false, read, cancellationToken);

    /// <summary>Writes, and possibly reads. May be repeated by the caller after an exception: every change of the registry is idempotent.</summary>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached. The change may have been made.</exception>
    public Task<T> ChangeAsync<T>(
        string operation, Func<RegistryContext, CancellationToken, Task<T>> change, CancellationToken cancellationToken) =>
        ExecuteAsync(operation, writes: true, change, cancellationToken);

    private async Task<T> ExecuteAsync<T>(
        string operation, bool writes, Func<RegistryContext, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        if (!ready) throw new RegistryUnavailableException("The registry's database has not been set up yet.");
        using var activity = telemetry.StartOperation(operation);
        var started = clock.GetTimestamp();
        string? error = null;
        try
        {
            using var turn = writes ? await provider.TakeWriteTurnAsync(cancellationToken) : null;
            await using var context = provider.CreateContext();
            return await work(context, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            error = "cancelled";
            throw;
        }
        catch (Exception exception) when (provider.IsUnavailable(exception))
        {
            error = "unavailable";
            throw new RegistryUnavailableException("The registry's database cannot be reached, or did not answer in time.", exception);
        }
        catch (Exception exception)
        {
            error = exception.GetType().FullName;
            throw;
        }
        finally
        {
            if (error is not null) activity?.SetStatus(ActivityStatusCode.Error, error);
            telemetry.RecordOperation(operation, clock.GetElapsedTime(started), error);
        }
    }
}
