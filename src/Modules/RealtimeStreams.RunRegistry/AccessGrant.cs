using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>What a valid access token grants.</summary>
/// <param name="Environment">The tenant; everything granted lies within it.</param>
/// <param name="Scopes">What is granted. None: nothing.</param>
/// <param name="ExpiresAt">From when on the token is none.</param>
public sealed record AccessGrant(EnvironmentId Environment, IReadOnlyList<AccessScope> Scopes, DateTimeOffset ExpiresAt)
{
    /// <summary>The token's id, if it was issued here; with it the token can be revoked alone.</summary>
    public string? TokenId { get; init; }

    /// <summary>When the token says that it was made; null when it does not say.</summary>
    public DateTimeOffset? IssuedAt { get; init; }

    /// <summary>Whether one of the scopes allows the action on at least one of the resources.</summary>
    /// <param name="action">For example <c>read</c>. Compared byte by byte, like everything here.</param>
    /// <param name="anyOf">The names that what is asked for goes by, such as its run, its task and its tags. None: only <c>admin</c> allows it.</param>
    public bool Allows(string action, params ReadOnlySpan<AccessResource> anyOf)
    {
        foreach (var scope in Scopes)
        {
            if (scope.IsAdmin) return true;
            foreach (var resource in anyOf)
                if (scope.Allows(action, resource)) return true;
        }
        return false;
    }

    /// <summary>Whether one of the scopes is about one of the resources, whatever it allows: then whoever has the token may know that the resource is there.</summary>
    public bool Knows(params ReadOnlySpan<AccessResource> anyOf)
    {
        foreach (var scope in Scopes)
        {
            if (scope.IsAdmin) return true;
            foreach (var resource in anyOf)
                if (scope.Covers(resource)) return true;
        }
        return false;
    }
}
