using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Tokens;

internal static class IssueToken
{
    private const int MaxBodyBytes = 64 * 1024;
    private const int DefaultSeconds = 15 * 60;
    private const int MaxSeconds = 30 * 24 * 60 * 60;
    private const int MaxScopes = 100;

    public static async Task<Results<JsonHttpResult<TokenInfo>, ProblemResult>> HandleAsync(
        HttpContext context, Caller caller, IAccessTokens tokens, CancellationToken cancellationToken)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, NativeJson.Default.IssueToken, new Protocol.IssueToken(), MaxBodyBytes);
        if ((problem ?? FindFault(body!)) is { } fault) return fault;
        var token = await tokens.IssueAsync(
            caller.Environment, [.. body!.Scopes!.OfType<string>()], TimeSpan.FromSeconds(body.ExpiresInSeconds ?? DefaultSeconds), caller.Credential.Name, cancellationToken);
        context.Response.Headers.CacheControl = "no-store";
        return Answers.Json(new TokenInfo(token.Token, token.Id, token.ExpiresAt), WireJson.Contracts.TokenInfo, StatusCodes.Status201Created);
    }

    private static ProblemResult? FindFault(Protocol.IssueToken body)
    {
        if (body.Scopes is not { Count: >= 1 and <= MaxScopes } scopes)
        {
            return Problems.From(
                ErrorCode.InvalidRequest, $"The field scopes must be a list of 1 to {MaxScopes} scopes, such as read:runs:run_1.", "scopes");
        }
        for (var i = 0; i < scopes.Count; i++)
        {
            if (ScopeRules.FindFault(scopes[i]) is { } fault)
                return Problems.From(ErrorCode.InvalidRequest, $"The field scopes[{i}] {fault}.", $"scopes[{i}]");
        }
        var bytes = scopes.Sum(scope => AccessScope.WrittenBytes(scope!));
        if (bytes > IAccessTokens.MaxScopeBytes)
            return Problems.From(ErrorCode.InvalidRequest, $"The scopes are {bytes} bytes long as a token holds them; at most {IAccessTokens.MaxScopeBytes} are allowed.", "scopes");
        return body.ExpiresInSeconds is < 1 or > MaxSeconds
            ? Problems.From(
                ErrorCode.InvalidRequest, $"The field expiresInSeconds is {body.ExpiresInSeconds}; it must be a number from 1 to {MaxSeconds}.", "expiresInSeconds")
            : null;
    }
}
