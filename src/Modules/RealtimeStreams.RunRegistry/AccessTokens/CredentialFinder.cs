using RealtimeStreams.RunRegistry.SecretKeys;

namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>Tells secret keys and tokens apart: a token has two dots. A secret key may have dots too, so it is asked for in any case.</summary>
internal sealed class CredentialFinder(TokenAuthority tokens, EnvironmentFinder keys, Revocations revocations, RegistryTelemetry telemetry) : ICredentials
{
    public async ValueTask<Credential?> FindAsync(string bearer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(bearer);
        string? fault = null;
        if (bearer.AsSpan().Count('.') == 2)
        {
            var check = await tokens.CheckAsync(bearer, cancellationToken);
            if (check.Grant is { } grant) return new Credential(grant.Environment, grant, check.Key);
            fault = check.Fault;
        }
        var found = await keys.FindAsync(bearer, cancellationToken);
        if (found.Environment is { } environment) return new Credential(environment, null, found.Key);
        if (fault is null) telemetry.RecordRefusedKey(found.Fault!);
        else telemetry.RecordRefusedToken(fault);
        return null;
    }

    public async ValueTask<Credential?> FindKnownAsync(string bearer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(bearer);
        if (bearer.AsSpan().Count('.') == 2 && await tokens.CheckAsync(bearer, cancellationToken) is { Grant: { } grant } check)
            return new Credential(grant.Environment, grant, check.Key);
        return keys.FindRemembered(bearer) is { Environment: { } environment } found ? new Credential(environment, null, found.Key) : null;
    }

    public IAccessWatch Watch(Credential credential)
    {
        ArgumentNullException.ThrowIfNull(credential);
        return revocations.Watch(credential);
    }

    public void CountForbidden() => telemetry.RecordRefusedToken(TokenFaults.WrongScope);
}
