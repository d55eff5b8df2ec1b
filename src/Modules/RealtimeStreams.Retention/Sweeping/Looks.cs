using Microsoft.Extensions.Hosting;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Retention.Sweeping;

/// <summary>Looks for what is due, a bounded piece at a time, for as long as the server runs.</summary>
/// <remarks>A look that fails is logged and followed by the next: nothing is lost by waiting.</remarks>
/// <param name="interval">From one look to the next.</param>
/// <param name="shortInterval">The same while there is more, if it is shorter.</param>
/// <param name="clock">The clock.</param>
internal abstract class Looks(TimeSpan interval, TimeSpan shortInterval, TimeProvider clock) : BackgroundService
{
    /// <summary>Three to five quarters of a time, so that servers that were started together drift apart.</summary>
    public static TimeSpan Spread(TimeSpan time) => time * (0.75 + 0.5 * Random.Shared.NextDouble());

    /// <summary>Takes up what is due.</summary>
    /// <returns>Whether there may be more, and it makes sense to go on soon.</returns>
    protected abstract Task<bool> LookAsync(CancellationToken cancellationToken);

    /// <summary>Logs that the registry could not be reached.</summary>
    protected abstract void NoteUnavailable();

    /// <summary>Logs any other failure.</summary>
    protected abstract void NoteFailure(Exception exception);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var soon = shortInterval < interval ? shortInterval : interval;
        var more = false;
        while (true)
        {
            await Task.Delay(Spread(more ? soon : interval), clock, stoppingToken);
            more = await TryLookAsync(stoppingToken);
        }
    }

    private async Task<bool> TryLookAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await LookAsync(cancellationToken);
        }
        catch (RegistryUnavailableException)
        {
            NoteUnavailable();
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            NoteFailure(exception);
        }
        return false;
    }
}
