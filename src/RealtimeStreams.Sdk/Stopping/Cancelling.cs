using Microsoft.Extensions.Logging;

namespace RealtimeStreams.Sdk.Stopping;

/// <summary>Cancels tokens with which somebody else's code works: what that has them call may throw, and is not to take with it what is to be done after the cancelling.</summary>
internal static class Cancelling
{
    /// <summary>Cancels, and logs what those who are called by it throw. Returns when all have been called.</summary>
    public static async Task CancelSafelyAsync(this CancellationTokenSource source, ILogger logger)
    {
        try
        {
            await source.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException failure)
        {
            logger.LogCancelledWithFailure(failure);
        }
    }

    /// <inheritdoc cref="CancelSafelyAsync" />
    public static void CancelSafely(this CancellationTokenSource source, ILogger logger)
    {
        try
        {
            source.Cancel();
        }
        catch (AggregateException failure)
        {
            logger.LogCancelledWithFailure(failure);
        }
    }
}
