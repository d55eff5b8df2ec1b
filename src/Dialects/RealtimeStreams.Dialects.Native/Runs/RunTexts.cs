using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

/// <summary>A run as it is told.</summary>
internal static class RunTexts
{
    public static RunInfo Tell(this Run run, IReadOnlyList<StreamInfo>? streams = null) => new(
        run.Id.Value,
        run.TaskId,
        run.Parent?.Value,
        run.Root?.Value,
        run.Tags,
        run.Status,
        run.StreamsVersion,
        run.Error,
        run.CreatedAt,
        run.CompletedAt,
        streams);

    public static Refusal NotFound(RunId run) => new(ErrorCode.RunNotFound, $"There is no run {run}.");
}
