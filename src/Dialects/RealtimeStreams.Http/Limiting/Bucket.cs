using System.Diagnostics.CodeAnalysis;
using System.Threading.RateLimiting;

namespace RealtimeStreams.Http.Limiting;

/// <summary>A rate with a burst. Filled up only when it is found empty, which comes to the same and costs a full one nothing.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Without a timer and without a queue the limiter holds nothing to be given back.")]
internal sealed class Bucket
{
    private readonly TokenBucketRateLimiter limiter;

    public Bucket(int perSecond, int burst)
    {
        PerSecond = perSecond;
        Burst = burst;
        var portion = Math.Max(1, perSecond / 20);
        limiter = new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
        {
            TokenLimit = burst,
            TokensPerPeriod = Math.Min(portion, burst),
            ReplenishmentPeriod = TimeSpan.FromSeconds((double)Math.Min(portion, burst) / perSecond),
            QueueLimit = 0,
            AutoReplenishment = false, // That would be a timer each.
        });
    }

    public int PerSecond { get; }

    public int Burst { get; }

    /// <summary>Whether nothing would be given now.</summary>
    public bool IsEmpty
    {
        get
        {
            // Not by taking nothing: that succeeds as soon as a fraction is there.
            limiter.TryReplenish();
            return limiter.GetStatistics()!.CurrentAvailablePermits < 1;
        }
    }

    public bool TryTake(out TimeSpan wait)
    {
        wait = default;
        using (var first = limiter.AttemptAcquire())
            if (first.IsAcquired) return true;
        limiter.TryReplenish();
        using var second = limiter.AttemptAcquire();
        if (second.IsAcquired) return true;
        wait = second.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromSeconds(1);
        return false;
    }
}
