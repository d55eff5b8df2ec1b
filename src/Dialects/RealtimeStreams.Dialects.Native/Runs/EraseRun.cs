using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

internal static class EraseRun
{
    public static async Task<Results<NoContent, ProblemResult>> HandleAsync(
        RunPath path, IRunRegistry registry, CancellationToken cancellationToken) =>
        await registry.EraseAsync(path.Environment, path.Run, cancellationToken)
            ? TypedResults.NoContent()
            : Problems.From(RunTexts.NotFound(path.Run));
}
