using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Tokens;

/// <summary>Which scopes a token is made with: a scope that allows nothing for ever is a mistake that its maker should hear of.</summary>
internal static class ScopeRules
{
    private static readonly string[] Actions = ["read", "write", "append", "input", "cancel", "trigger", "*"];
    private static readonly string[] Types = ["runs", "streams", "tasks", "tags", "batch", "inputStreams", "all"];

    /// <summary>Says why a text is no scope, as the rest of a sentence; null when it is one.</summary>
    public static string? FindFault(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "must be a text such as read:runs:run_1";
        var scope = AccessScope.Parse(text);
        if (scope.IsAdmin) return null;
        if (!Actions.Contains(scope.Action)) return $"begins with an action that there is not; there are {string.Join(", ", Actions)}, and admin alone";
        if (scope.Type is null) return $"names nothing to do it with, as {scope.Action}:runs:run_1 does";
        if (!Types.Contains(scope.Type)) return $"is about a kind of thing that there is not; there are {string.Join(", ", Types)}";
        if (scope.Id is null) return null;
        return scope.Type switch
        {
            "runs" or "inputStreams" when RunId.FindFault(scope.Id) is { } fault => $"has a run id that {fault}",
            "streams" => FindStreamFault(scope.Id),
            _ when scope.Id.Length == 0 => "ends with an empty id; leave out its last colon to mean all",
            _ => null,
        };
    }

    private static string? FindStreamFault(string id)
    {
        return S2Names.TryParse("runs/" + id, out var run, out _) && id.StartsWith(S2Names.EscapeRun(run) + '/', StringComparison.Ordinal)
            ? null
            : "must name a stream as {run}/{key}, with % and / of the run as %25 and %2F";
    }
}
