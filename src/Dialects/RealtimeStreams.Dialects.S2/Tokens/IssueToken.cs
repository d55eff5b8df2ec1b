using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Tokens;

/// <summary>POST /access-tokens: a token for some operations on some streams. It is signed, not kept: it ends by its time, with the secret key, or when the native interface revokes its id (the claim <c>jti</c>) or all tokens.</summary>
internal static class IssueToken
{
    public static async Task<IResult> HandleAsync(HttpContext context, Call call, IAccessTokens tokens, TimeProvider clock)
    {
        var (document, error) = await RequestBody.ReadDocumentAsync(context);
        if (error is not null) return Answers.Error(error);
        using (document)
        {
            if (document is null || document.RootElement.ValueKind != JsonValueKind.Object) return Answers.Error(S2Error.BadJson("The body must be a JSON object."));
            if (TokenScope.Read(document.RootElement, call.Environment, clock.GetUtcNow(), out var scope) is { } fault) return Answers.Error(fault);
            var token = await tokens.IssueAsync(call.Environment, scope!.Scopes, scope.Lifetime, call.Credential.Name, context.RequestAborted);
            return Answers.Object(json => json.WriteString("access_token", token.Token), StatusCodes.Status201Created);
        }
    }
}
