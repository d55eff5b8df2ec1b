using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using RealtimeStreams.Http.Limiting;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Http;

/// <summary>Holds callers to their limits, after they were authenticated and before anything is done for them. Counts what this process sees.</summary>
public sealed class RequestLimits
{
    private static readonly TimeSpan placeWait = TimeSpan.FromSeconds(1); // Nobody knows when a place becomes free.

    private readonly IEnvironmentSettings settings;
    private readonly LimitsOptions limits;
    private readonly LimitTelemetry telemetry;
    private readonly TimeProvider clock;
    private readonly CallerLoads<EnvironmentId> environments;
    private readonly CallerLoads<UInt128> tokens;

    internal RequestLimits(IEnvironmentSettings settings, IOptions<LimitsOptions> options, LimitTelemetry telemetry, TimeProvider clock)
    {
        this.settings = settings;
        this.telemetry = telemetry;
        this.clock = clock;
        limits = options.Value;
        environments = new CallerLoads<EnvironmentId>(limits.CountedCallers, clock);
        tokens = new CallerLoads<UInt128>(limits.CountedCallers, clock);
    }

    /// <summary>Lets a request in, or says which limit it goes beyond; then <c>Retry-After</c> is set.</summary>
    /// <param name="context">The request. Whoever lets it in calls <see cref="Release"/> at its end.</param>
    /// <param name="environment">The environment that its credential opens.</param>
    /// <param name="token">The public token that it came with; null for a secret key.</param>
    public LimitRefusal? Admit(HttpContext context, EnvironmentId environment, string? token)
    {
        ArgumentNullException.ThrowIfNull(context);
        var set = settings.Find(environment);
        CallerLoad? tokenLoad = null;
        if (token is not null)
        {
            // First: one token that comes too often takes nothing from the others.
            tokenLoad = tokens.Get(Callers.MarkOf(token));
            if (FindTokenRefusal(tokenLoad, set) is { } ofToken) return telemetry.Refuse(context, ofToken);
        }
        var load = environments.Get(environment);
        if (FindRefusal(load, set) is { } refusal)
        {
            tokenLoad?.Requests.Return();
            return telemetry.Refuse(context, refusal);
        }
        context.Features.Set(new Admission(load, tokenLoad, set));
        return null;
    }

    /// <summary>From now on the request is a live read, and counts as one and no more as a request.</summary>
    public LimitRefusal? BecomeReader(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<Admission>()?.BecomeReader(limits) is { } refusal ? telemetry.Refuse(context, refusal) : null;
    }

    /// <summary>From now on the request is an open-ended body of appends, and counts as one and no more as a request.</summary>
    public LimitRefusal? BecomeOpenBody(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<Admission>()?.BecomeBody(limits) is { } refusal ? telemetry.Refuse(context, refusal) : null;
    }

    /// <summary>The request is over: its places are free. For any request, let in or not.</summary>
    public static void Release(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Features.Get<Admission>()?.Release();
    }

    /// <returns>Null when the token has its place.</returns>
    private LimitRefusal? FindTokenRefusal(CallerLoad load, EnvironmentSettings set)
    {
        var rate = set.TokenRequestsPerSecond ?? limits.TokenRequestsPerSecond;
        if (!load.BucketOf(rate, set.TokenRequestBurst ?? limits.TokenRequestBurst).TryTake(out var wait))
            return new LimitRefusal(LimitNames.TokenRequestsPerSecond, rate, LimitOwner.Token, wait);
        var most = set.TokenConcurrentRequests ?? limits.TokenConcurrentRequests;
        return load.Requests.TryTake(most) ? null : new LimitRefusal(LimitNames.TokenConcurrentRequests, most, LimitOwner.Token, placeWait);
    }

    /// <returns>Null when the environment has its place.</returns>
    private LimitRefusal? FindRefusal(CallerLoad load, EnvironmentSettings set)
    {
        var rate = set.RequestsPerSecond ?? limits.RequestsPerSecond;
        if (!load.BucketOf(rate, set.RequestBurst ?? limits.RequestBurst).TryTake(out var wait))
            return new LimitRefusal(LimitNames.RequestsPerSecond, rate, LimitOwner.Environment, wait);
        var most = set.ConcurrentRequests ?? limits.ConcurrentRequests;
        return load.Requests.TryTake(most) ? null : new LimitRefusal(LimitNames.ConcurrentRequests, most, LimitOwner.Environment, placeWait);
    }
}
