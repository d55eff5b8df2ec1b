using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using RealtimeStreams.Http.Limiting;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Http;

/// <summary>Keeps keys from being guessed at full speed: counts by client address what opens nothing, and beyond the limit looks up no secret key any more.</summary>
/// <remarks>
/// A key that was used here not long ago, and any valid token, open their environment all the same, so that one who guesses does not shut out those who share his
/// address. A token cannot be guessed: its signature alone has 256 bits. What it names is looked up a bounded number of times a second, however many come.
/// </remarks>
public sealed class Logins
{
    private readonly ICredentials credentials;
    private readonly LimitsOptions limits;
    private readonly LimitTelemetry telemetry;
    private readonly CallerLoads<UInt128> addresses;

    internal Logins(ICredentials credentials, IOptions<LimitsOptions> options, LimitTelemetry telemetry, TimeProvider clock)
    {
        this.credentials = credentials;
        this.telemetry = telemetry;
        limits = options.Value;
        addresses = new CallerLoads<UInt128>(limits.CountedCallers, clock);
    }

    /// <summary>What a credential opens; null when nothing, or when this address has guessed too often and it is neither a token nor a key that is in use.</summary>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached.</exception>
    public ValueTask<Credential?> FindAsync(HttpContext context, string bearer)
    {
        ArgumentNullException.ThrowIfNull(context);
        return MayTry(context) ? credentials.FindAsync(bearer, context.RequestAborted) : credentials.FindKnownAsync(bearer, context.RequestAborted);
    }

    /// <summary>Whether the client's address may have another credential looked at.</summary>
    public bool MayTry(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return addresses.Find(Callers.MarkOf(context.Connection.RemoteIpAddress))?.Known is not { IsEmpty: true };
    }

    /// <summary>A credential opened nothing.</summary>
    /// <returns>The refusal in place of "unauthorized", when the address has guessed too often; then <c>Retry-After</c> is set.</returns>
    public LimitRefusal? CountFailure(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Request.Headers.Authorization.Count == 0) return null; // Nothing was guessed.
        var bucket = addresses.Get(Callers.MarkOf(context.Connection.RemoteIpAddress)).BucketOf(limits.FailedLoginsPerSecond, limits.FailedLoginBurst);
        if (bucket.TryTake(out var wait)) return null;
        return telemetry.Refuse(context, new LimitRefusal(LimitNames.FailedLoginsPerSecond, limits.FailedLoginsPerSecond, LimitOwner.Address, wait));
    }
}
