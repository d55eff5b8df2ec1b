using Microsoft.Extensions.Logging;

namespace RealtimeStreams.Sdk.Http;

/// <summary>The tries of one operation: waits longer and longer, and gives up after a time without any success. One owner at a time.</summary>
internal sealed class Retries(
    RealtimeStreamsClientOptions options, TimeProvider time, ILogger logger, SdkTelemetry telemetry, string operation, Random? random = null)
{
    /// <summary>What a server, or something before it, may ask for is anything; a timer takes seven weeks.</summary>
    private static readonly TimeSpan longest = TimeSpan.FromDays(1);

    private long failingSince;

    /// <summary>How many tries have failed since the last success.</summary>
    public int Failed { get; private set; }

    public void Succeed()
    {
        if (Failed > 0) logger.LogRecovered(operation, Failed + 1);
        Failed = 0;
    }

    /// <summary>Shows that the server is there: the time until giving up begins anew, while the waits stay as long as they are.</summary>
    public void Live() => failingSince = time.GetTimestamp();

    /// <summary>Waits before the next try.</summary>
    /// <exception cref="RealtimeStreamsException">The failure cannot heal, or has lasted too long.</exception>
    public async ValueTask WaitAsync(RealtimeStreamsException failure, TimeSpan? retryAfter, CancellationToken cancellationToken)
    {
        if (!failure.Retryable) throw failure;
        if (Failed++ == 0) failingSince = time.GetTimestamp();
        var wait = NextWait(retryAfter);
        if (options.GiveUpAfter != Timeout.InfiniteTimeSpan && time.GetElapsedTime(failingSince) + wait > options.GiveUpAfter) throw failure;
        logger.LogRetry(operation, wait, failure.Message);
        telemetry.Retries.Add(1, new KeyValuePair<string, object?>("operation", operation));
        await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>MinBackoff doubled per failed try up to MaxBackoff, of which jitter takes up to half; never less than the server asks for, up to a day.</summary>
    internal TimeSpan NextWait(TimeSpan? retryAfter)
    {
        // 2^30 times the smallest wait of a millisecond is twelve days, above any MaxBackoff.
        var full = Math.Min(options.MinBackoff.TotalMilliseconds * (1L << Math.Min(Math.Max(Failed - 1, 0), 30)), options.MaxBackoff.TotalMilliseconds);
        var wait = TimeSpan.FromMilliseconds(full * (1 - ((random ?? Random.Shared).NextDouble() / 2)));
        if (retryAfter > longest) retryAfter = longest;
        return retryAfter > wait ? retryAfter.Value : wait;
    }
}
