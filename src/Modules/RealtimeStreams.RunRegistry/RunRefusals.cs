using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>The refusals that several calls share.</summary>
internal static class RunRefusals
{
    public static Refusal NotFound(RunId run) => new(ErrorCode.RunNotFound, $"There is no run {run}.");

    public static Refusal Ended(RunId run, RunStatus status) =>
        new(ErrorCode.RunCompleted, $"The run {run} has ended ({status switch
        {
            RunStatus.Completed => "completed",
            RunStatus.Failed => "failed",
            _ => "cancelled",
        }}).");
}
