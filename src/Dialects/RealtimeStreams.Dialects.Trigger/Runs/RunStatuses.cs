using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Runs;

/// <summary>Where a run stands, in the two sets of words that the clients know.</summary>
internal static class RunStatuses
{
    /// <summary>The word of the runs API (<c>runs.retrieve</c>).</summary>
    public static string ToApi(Run run) => run.Status switch
    {
        RunStatus.Completed => "COMPLETED",
        RunStatus.Failed => "FAILED",
        RunStatus.Cancelled => "CANCELED",
        _ => run.IsQueued ? "QUEUED" : "EXECUTING",
    };

    /// <summary>The word of a row of the run subscription.</summary>
    public static string ToRow(Run run) => run.Status switch
    {
        RunStatus.Completed => "COMPLETED_SUCCESSFULLY",
        RunStatus.Failed => "COMPLETED_WITH_ERRORS",
        RunStatus.Cancelled => "CANCELED",
        _ => run.IsQueued ? "PENDING" : "EXECUTING",
    };
}
