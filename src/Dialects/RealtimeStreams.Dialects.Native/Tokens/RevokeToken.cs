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
        HttpContext context, Caller caller, IAccessTokens tokens, ICredentials credentials, CancellationToken cancellationToken)
    {
        var by = await credentials.TellAsync(caller.Credential, cancellationToken);
        return await tokens.RevokeAsync(caller.Environment, RawPath.Find(context, IdParameter) ?? "", by, cancellationToken) is { } refusal
            ? Problems.From(refusal)
            : TypedResults.NoContent();
    }
}
