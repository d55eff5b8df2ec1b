using RealtimeStreams.Http;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Requests;

/// <summary>What a token allows: appending to a run's stream (the Trigger dialect hands such tokens out), or operations on the streams whose names begin with a text.</summary>
internal sealed class Permit(AccessGrant grant)
{
    private const string Prefixed = "s2-prefix";
    private const string Exact = "s2-exact";
    private const string AutoPrefix = "auto-prefix";

    /// <summary>A scope for an operation on the streams whose names begin with the prefix.</summary>
    public static string ScopeOfPrefix(string operation, string prefix) => $"{operation}:{Prefixed}:{prefix}";

    /// <summary>A scope for an operation on one stream.</summary>
    public static string ScopeOfStream(string operation, string name) => $"{operation}:{Exact}:{name}";

    /// <summary>A scope that has the prefix put in front of every name that comes with the token.</summary>
    public static string ScopeOfAutoPrefix(string prefix) => $"{AutoPrefix}:{Prefixed}:{prefix}";

    /// <summary>The name that a name stands for that came with the token.</summary>
    public string Complete(string name)
    {
        foreach (var scope in grant.Scopes)
            if (scope is { Action: AutoPrefix, Type: Prefixed, Id: { } prefix }) return prefix + name;
        return name;
    }

    public bool Allows(string operation, StreamName stream)
    {
        if (operation == Operation.Append && stream.Run is { } run
            && grant.Allows(operation, new AccessResource("streams", $"{S2Names.EscapeRun(run)}/{stream.Key.Value}")))
        {
            return true;
        }
        foreach (var scope in grant.Scopes)
        {
            if (scope.Action != operation || scope.Id is not { } id) continue;
            if (scope.Type == Prefixed ? stream.Text.StartsWith(id, StringComparison.Ordinal) : scope.Type == Exact && stream.Text == id) return true;
        }
        return false;
    }
}
