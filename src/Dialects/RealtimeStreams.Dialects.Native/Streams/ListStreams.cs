using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Dialects.Native.Runs;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Streams;

internal static class ListStreams
{
    public static async Task<Results<JsonHttpResult<StreamList>, ProblemResult>> HandleAsync(
        RunPath path, IRunRegistry registry, StreamTexts streams, CancellationToken cancellationToken)
    {
        if (await registry.FindBriefAsync(path.Environment, path.Run, cancellationToken) is null)
            return Problems.From(RunTexts.NotFound(path.Run));
        return Answers.Json(new StreamList(await streams.TellAsync(path, cancellationToken)), WireJson.Contracts.StreamList);
    }
}
