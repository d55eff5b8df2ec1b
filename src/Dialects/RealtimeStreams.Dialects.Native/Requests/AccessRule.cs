using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Requests;

/// <summary>The kinds of names under which a scope can be about what a route touches.</summary>
[Flags]
internal enum Subjects
{
    /// <summary><c>runs:{run}</c>, <c>tasks:{task}</c> and <c>tags:{tag}</c>.</summary>
    Run = 1,

    /// <summary><c>streams:{run}/{key}</c>.</summary>
    Stream = 2,

    /// <summary><c>inputStreams:{run}</c>.</summary>
    Inputs = 4,
}

/// <summary>An action on any of some names.</summary>
internal readonly record struct Allowance(string Action, Subjects On);

/// <summary>What a route asks of a token: any of some allowances. None: tokens are not taken.</summary>
/// <param name="Needs">The same for people.</param>
/// <param name="AnyOf">The allowances.</param>
internal sealed record AccessRule(string Needs, params Allowance[] AnyOf)
{
    /// <summary>What is asked for where the stream is an input stream; null: the same.</summary>
    public Allowance[]? OfInputs { get; init; }

    public bool TakesTokens => AnyOf.Length > 0;

    /// <summary>Whether a token does.</summary>
    /// <param name="grant">What it grants.</param>
    /// <param name="run">The run that the route touches.</param>
    /// <param name="key">The stream; null where it is the run as a whole.</param>
    /// <param name="row">What is known of the run; null: only its id.</param>
    public bool IsMetBy(AccessGrant grant, RunId run, StreamKey? key, Run? row)
    {
        var allowances = key is { } of && InputStreams.FindName(of) is not null ? OfInputs ?? AnyOf : AnyOf;
        foreach (var (action, on) in allowances)
            if (grant.Allows(action, NamesOf(on, run, key, row))) return true;
        return false;
    }

    /// <summary>Whether a token tells whoever has it that there is this run or stream: some scope is about it, or about a stream of it.</summary>
    public static bool IsKnownTo(AccessGrant grant, RunId run, StreamKey? key, Run? row)
    {
        if (grant.Knows(NamesOf(Subjects.Run | Subjects.Stream | Subjects.Inputs, run, key, row))) return true;
        var streams = S2Names.EscapeRun(run) + '/';
        foreach (var scope in grant.Scopes)
            if (scope is { Type: "streams" } && (scope.Id is null || scope.Id.StartsWith(streams, StringComparison.Ordinal))) return true;
        return false;
    }

    private static AccessResource[] NamesOf(Subjects on, RunId run, StreamKey? key, Run? row)
    {
        var names = new List<AccessResource>(4);
        if (on.HasFlag(Subjects.Run))
        {
            names.Add(new AccessResource("runs", run.Value));
            if (row?.TaskId is { } task) names.Add(new AccessResource("tasks", task));
            foreach (var tag in row?.Tags ?? []) names.Add(new AccessResource("tags", tag));
        }
        if (on.HasFlag(Subjects.Stream) && key is { } of) names.Add(new AccessResource("streams", $"{S2Names.EscapeRun(run)}/{of.Value}"));
        if (on.HasFlag(Subjects.Inputs)) names.Add(new AccessResource("inputStreams", run.Value));
        return [.. names];
    }
}
