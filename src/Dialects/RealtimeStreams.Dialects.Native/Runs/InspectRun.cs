using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Dialects.Native.Streams;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

internal static class InspectRun
{
    public static async Task<Results<JsonHttpResult<RunInfo>, ProblemResult>> HandleAsync(
        RunPath path, IRunRegistry registry, StreamTexts streams, IRetention retention, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (await registry.FindAsync(path.Environment, path.Run, cancellationToken) is not { IsHidden: false } run)
            return Problems.From(RunTexts.NotFound(path.Run));
        return Answers.Json(
            run.Tell(clock.GetUtcNow(), await streams.TellAsync(path, cancellationToken), retention.Of(path.Environment, run)), WireJson.Contracts.RunInfo);
    }
}
