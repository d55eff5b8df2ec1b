using Microsoft.AspNetCore.Http;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Wire;

/// <summary>The product's errors in S2's words. The status decides whether a client tries again, the code is what it shows.</summary>
internal static class S2Errors
{
    private static readonly Dictionary<string, (int Status, string Code)> rows = new()
    {
        [ErrorCode.Forbidden.Code] = (403, "permission_denied"),
        [ErrorCode.RunNotFound.Code] = (404, "stream_not_found"),
        [ErrorCode.StreamNotFound.Code] = (404, "stream_not_found"),
        [ErrorCode.StreamGone.Code] = (404, "stream_not_found"),
        [ErrorCode.RunCompleted.Code] = (422, "invalid"),
        [ErrorCode.StreamClosed.Code] = (422, "invalid"),
        [ErrorCode.ChunkTooLarge.Code] = (422, "invalid"),
        [ErrorCode.BodyTooLarge.Code] = (422, "invalid"),
        [ErrorCode.StreamFull.Code] = (403, "quota_exhausted"),
        [ErrorCode.LimitReached.Code] = (403, "quota_exhausted"),
        [ErrorCode.RequestTimeout.Code] = (408, "request_timeout"),
        [ErrorCode.Busy.Code] = (429, "rate_limited"),
        [ErrorCode.RateLimited.Code] = (429, "rate_limited"),
        [ErrorCode.LogUnavailable.Code] = (503, "unavailable"),
        [ErrorCode.RegistryUnavailable.Code] = (503, "unavailable"),
        [ErrorCode.ShuttingDown.Code] = (503, "unavailable"),
        [ErrorCode.StoreFull.Code] = (500, "storage"),
        [ErrorCode.Internal.Code] = (500, "other"),
    };

    /// <summary>The server is stopping. Not <c>server_draining</c>, at which a client comes back at once, as often as it is said.</summary>
    public static readonly S2Error Stopping = S2Error.Unavailable("The server is stopping. Try again.");

    /// <summary>The token or key that a session was opened with has expired or was revoked. Clients do not try again with it.</summary>
    public static readonly S2Error CredentialEnded = S2Error.Unauthenticated("The credential that this session was opened with is valid no more.");

    /// <summary>A refusal. What has no row of its own is a request that cannot succeed.</summary>
    public static S2Error From(Refusal refusal)
    {
        // By its word, because a refusal may carry a row that was changed in what it says beside.
        if (!rows.TryGetValue(refusal.Code.Code, out var row)) row = refusal.Code.Status >= 500 ? (500, "other") : (422, "invalid");
        return S2Error.Of(row.Status, row.Code, refusal.Detail);
    }

    /// <summary>A limit that was reached.</summary>
    public static S2Error From(LimitRefusal refusal) => From(refusal.Refusal);

    /// <summary>What an append was refused for.</summary>
    public static S2Error From(AppendOutcome.Refused refused) => refused switch
    {
        { ExpectedFencingToken: { } token } => S2Error.FencingTokenMismatch(token),
        { ExpectedIndex: { } next } => S2Error.SeqNumMismatch(next),
        _ => From(refused.Refusal),
    };

    /// <summary>What a client is told of an exception: nothing of its inside, unless the client caused it.</summary>
    public static S2Error Explain(Exception exception) => exception switch
    {
        RegistryUnavailableException => S2Error.Unavailable("The registry cannot be reached. Try again."),
        LogUnavailableException => S2Error.Unavailable("The log did not answer in time. Try again."),
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } slow => S2Error.Of(408, "request_timeout", slow.Message),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } large => S2Error.Invalid(large.Message),
        BadHttpRequestException bad => S2Error.BadFrame(bad.Message),
        // The caller's own going away never gets here.
        OperationCanceledException => Stopping,
        _ => S2Error.Of(500, "other", "The server failed in a way that it should not. Its log says more."),
    };
}
