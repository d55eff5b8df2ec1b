using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry;

/// <summary>The refusals that several calls share.</summary>
internal static class RunRefusals
{
    public static Refusal NotFound(RunId run) => new(ErrorCode.RunNotFound, $"There is no run {run}.");

    /// <summary>For whoever has written to a run that was erased since.</summary>
    public static Refusal Replaced(RunId run) => new(ErrorCode.StreamGone, $"The run {run} that was written to was erased; what has its id now is another run.");

    /// <summary>As in the reference: input streams came with v2.</summary>
    public static Refusal NoInputs(RunId run) => new(ErrorCode.InvalidRequest, $"The run {run} has streams version v1; inputs need v2.");

    public static Refusal ClaimLost(RunId run, StoredRun there, int attempt) => new(
        ErrorCode.ClaimLost,
        there.Attempt == attempt ? $"The run {run} was claimed by another worker, or given back." : $"The run {run} is at attempt {there.Attempt}; attempt {attempt} is not.");

    public static Refusal Ended(RunId run, RunStatus status) =>
        new(ErrorCode.RunCompleted, $"The run {run} has ended ({status switch
        {
            RunStatus.Completed => "completed",
            RunStatus.Failed => "failed",
            _ => "cancelled",
        }}).");
}
