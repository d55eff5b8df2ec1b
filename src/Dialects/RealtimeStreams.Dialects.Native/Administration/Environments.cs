using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Administration;

internal static class ListEnvironments
{
    public static async Task<JsonHttpResult<EnvironmentList>> HandleAsync(IEnvironments environments, CancellationToken cancellationToken) =>
        Answers.Json((await environments.ListAsync(cancellationToken)).Tell(), WireJson.Contracts.EnvironmentList);
}

internal static class CreateEnvironment
{
    private const int MaxBodyBytes = 4096;

    public static async Task<Results<JsonHttpResult<MadeSecretKey>, ProblemResult>> HandleAsync(
        HttpContext context, IEnvironments environments, CancellationToken cancellationToken)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, NativeJson.Default.CreateEnvironment, new Protocol.CreateEnvironment(), MaxBodyBytes);
        if (problem is not null) return problem;
        if (EnvironmentId.FindFault(body!.Id) is { } fault) return Problems.From(ErrorCode.InvalidRequest, $"The field id {fault}.", "id");
        var id = EnvironmentId.Parse(body.Id!);
        return KeyAnswers.Of(await environments.CreateAsync(id, KeyAnswers.By, cancellationToken), id);
    }
}
