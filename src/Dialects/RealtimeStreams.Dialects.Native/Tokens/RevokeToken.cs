using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Tokens;

internal static class RevokeToken
{
    public const string IdParameter = "tokenId";

    public static async Task<Results<NoContent, ProblemResult>> HandleAsync(
        HttpContext context, Caller caller, IAccessTokens tokens, CancellationToken cancellationToken) =>
        await tokens.RevokeAsync(caller.Environment, RawPath.Find(context, IdParameter) ?? "", caller.Credential.Name, cancellationToken) is { } refusal
            ? Problems.From(refusal)
            : TypedResults.NoContent();
}
