using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Http;

/// <summary>Makes problems of what was refused or went wrong.</summary>
public static class Problems
{
    /// <summary>A refusal as an answer.</summary>
    /// <param name="refusal">Why.</param>
    /// <param name="field">The parameter, header or field at fault.</param>
    public static ProblemResult From(Refusal refusal, string? field = null) => new(Describe(refusal, field));

    /// <summary>A refusal as an answer.</summary>
    /// <param name="code">The row of the table.</param>
    /// <param name="detail">What people should know of this occurrence.</param>
    /// <param name="field">The parameter, header or field at fault.</param>
    public static ProblemResult From(ErrorCode code, string detail, string? field = null) => From(new Refusal(code, detail), field);

    /// <summary>A limit that was reached, as an answer.</summary>
    public static ProblemResult From(LimitRefusal refusal)
    {
        ArgumentNullException.ThrowIfNull(refusal);
        return new ProblemResult(refusal.Describe());
    }

    /// <summary>A refusal as a problem.</summary>
    public static Problem Describe(Refusal refusal, string? field = null) => new()
    {
        Type = refusal.Code.Type,
        Title = refusal.Code.Title,
        Status = refusal.Code.Status,
        Detail = refusal.Detail,
        Code = refusal.Code.Code,
        Retryable = refusal.Code.Retryable,
        Field = field,
    };

    /// <summary>What a client is told of an exception: nothing of its inside, unless the client caused it.</summary>
    public static Refusal Explain(Exception exception) => exception switch
    {
        RegistryUnavailableException => new Refusal(ErrorCode.RegistryUnavailable, "The registry of runs cannot be reached. Try again."),
        LogUnavailableException => new Refusal(ErrorCode.LogUnavailable, "The log did not answer in time. Try again."),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } large => new Refusal(ErrorCode.BodyTooLarge, large.Message),
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } =>
            new Refusal(ErrorCode.RequestTimeout, "The body came more slowly than this server waits for. Nothing of it was stored."),
        BadHttpRequestException bad => new Refusal(ErrorCode.InvalidRequest, bad.Message),
        // The caller's own going away never gets here.
        OperationCanceledException => new Refusal(ErrorCode.ShuttingDown, "The server is stopping. Try again."),
        _ => new Refusal(ErrorCode.Internal, "The server failed in a way that it should not. Its log says more."),
    };

    /// <summary>The problem that stands for a status without a body.</summary>
    public static Refusal Explain(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status401Unauthorized => new Refusal(ErrorCode.Unauthorized, "Send the secret key as a bearer token."),
        StatusCodes.Status404NotFound => new Refusal(ErrorCode.NotFound, "There is nothing at this address."),
        StatusCodes.Status405MethodNotAllowed =>
            new Refusal(ErrorCode.MethodNotAllowed, $"{context.Request.Method} is not allowed here; {context.Response.Headers.Allow} is."),
        StatusCodes.Status406NotAcceptable => new Refusal(ErrorCode.NotAcceptable, "None of the accepted media types can be given."),
        StatusCodes.Status413PayloadTooLarge => new Refusal(ErrorCode.BodyTooLarge, "The body is too large."),
        StatusCodes.Status415UnsupportedMediaType => new Refusal(ErrorCode.UnsupportedMediaType, "The body's media type is not taken here."),
        >= 500 => new Refusal(ErrorCode.Internal, "The server failed in a way that it should not. Its log says more."),
        _ => new Refusal(ErrorCode.InvalidRequest, "The request is not valid."),
    };

    /// <summary>Answers with a problem. The response must not have started.</summary>
    public static Task WriteAsync(HttpContext context, Problem problem)
    {
        var response = context.Response;
        response.StatusCode = problem.Status;
        response.ContentType = ProblemResult.MediaType;
        response.Headers.CacheControl = "no-store";
        if (problem.Status == StatusCodes.Status429TooManyRequests && response.Headers.RetryAfter.Count == 0) response.Headers.RetryAfter = "1";
        var body = JsonSerializer.SerializeToUtf8Bytes(problem, WireJson.Contracts.Problem);
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
