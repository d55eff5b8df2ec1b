using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>What a valid access token grants.</summary>
/// <param name="Environment">The tenant; everything granted lies within it.</param>
/// <param name="Scopes">What is granted. None: nothing.</param>
/// <param name="ExpiresAt">From when on the token is none.</param>
public sealed record AccessGrant(EnvironmentId Environment, IReadOnlyList<AccessScope> Scopes, DateTimeOffset ExpiresAt)
{
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
}
