using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Requests;

/// <summary>What a route asks of its caller.</summary>
internal enum Demand
{
    /// <summary>The secret key; a public token is no credential here.</summary>
    SecretKey,

    /// <summary>The secret key, or a token that may read the run of the path.</summary>
    ReadRun,

    /// <summary>The secret key, or a token that may send to the run of the path.</summary>
    WriteInput,

    /// <summary>The secret key, or a token that may cancel the run of the path.</summary>
    CancelRun,

    /// <summary>The secret key, or a token that may trigger the task of the path.</summary>
    TriggerTask,
}

/// <summary>Which scopes meet which demands (contract, sections 2, 4 and 5).</summary>
internal static class Demands
{
    /// <summary>Whether a token may do to a run what the route does. The names that a run goes by are its id, its task and its tags.</summary>
    /// <param name="grant">What the token grants.</param>
    /// <param name="demand">The route's.</param>
    /// <param name="id">The run's id.</param>
    /// <param name="run">The run; null: there is none of this id.</param>
    public static bool Meets(this AccessGrant grant, Demand demand, RunId id, Run? run)
    {
        if (demand == Demand.WriteInput) return grant.Allows("write", new AccessResource("inputStreams", id.Value));
        var names = new List<AccessResource> { new("runs", id.Value) };
        if (run?.TaskId is { } task) names.Add(new AccessResource("tasks", task));
        foreach (var tag in run?.Tags ?? []) names.Add(new AccessResource("tags", tag));
        // The first is what the reference asks for, the second what it is called in the native dialect.
        if (demand == Demand.CancelRun) return grant.Allows("write", names[0]) || grant.Allows("cancel", [.. names]);
        return grant.Allows("read", [.. names]);
    }

    /// <summary>Whether a token may trigger a task.</summary>
    public static bool MeetsTrigger(this AccessGrant grant, string task) =>
        grant.Allows("trigger", new AccessResource("tasks", task)) || grant.Allows("write", new AccessResource("tasks", task));
}
