using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Tokens;

internal static class RevokeAllTokens
{
    public static async Task<JsonHttpResult<RevokedTokens>> HandleAsync(Caller caller, IAccessTokens tokens, CancellationToken cancellationToken) =>
        Answers.Json(
            new RevokedTokens(await tokens.RevokeAllAsync(caller.Environment, caller.Credential.Name, cancellationToken)), WireJson.Contracts.RevokedTokens);
}
