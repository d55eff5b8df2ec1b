using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Trigger.Requests;

/// <summary>An error in the shape that the published clients read: the text becomes the message of their exception.</summary>
/// <param name="Status">Decides whether a client tries again (contract, sections 1 to 3). Never 409, which clients retry.</param>
/// <param name="Text">For people.</param>
/// <param name="Code">For programs.</param>
/// <param name="Param">The parameter at fault.</param>
/// <param name="Type">The kind of error, where clients tell kinds apart.</param>
internal sealed record TriggerError(int Status, string Text, string? Code = null, string? Param = null, string? Type = null) : IResult
{
    /// <summary>A token is good, but not for this.</summary>
    public static readonly TriggerError OutOfScope = new(StatusCodes.Status403Forbidden, "Unauthorized", "unauthorized", "access_token", "authorization");

    /// <summary>A credential was good when the request came.</summary>
    public static readonly TriggerError CredentialEnded = From(ErrorCode.Unauthorized, "The credential has expired, or was revoked.");

    /// <summary>A refusal as an answer.</summary>
    public static TriggerError From(Refusal refusal) => new(StatusOf(refusal.Code), refusal.Detail, refusal.Code.Code);

    /// <summary>A limit that was reached, as an answer.</summary>
    public static TriggerError From(LimitRefusal refusal) => From(refusal.Refusal) with { Limit = refusal };

    /// <summary>A refusal as an answer.</summary>
    public static TriggerError From(ErrorCode code, string detail) => From(new Refusal(code, detail));

    /// <summary>What a client is told of an exception: nothing of its inside, unless the client caused it.</summary>
    public static TriggerError From(Exception exception) => From(Problems.Explain(exception));

    /// <summary>The limit that was reached, if one was.</summary>
    public LimitRefusal? Limit { get; private init; }

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        if (Status == StatusCodes.Status429TooManyRequests) AddWait(httpContext);
        response.StatusCode = Status;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = WireJson.Contracts.Options.Encoder }))
        {
            json.WriteStartObject();
            json.WriteString("error", Text);
            if (Code is not null) json.WriteString("code", Code);
            if (Param is not null) json.WriteString("param", Param);
            if (Type is not null) json.WriteString("type", Type);
            json.WriteEndObject();
        }
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length), httpContext.RequestAborted).AsTask();
    }

    /// <summary>Some of the published clients look at Retry-After, most wait until a time in milliseconds (contract, section 1).</summary>
    private void AddWait(HttpContext context)
    {
        var headers = context.Response.Headers;
        if (headers.RetryAfter.Count == 0) headers.RetryAfter = "1";
        var clock = context.RequestServices.GetRequiredService<TimeProvider>();
        var wait = Limit?.Wait ?? TimeSpan.FromSeconds(1);
        headers[TriggerHeaders.LimitReset] = (clock.GetUtcNow() + wait).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        if (Limit is null) return;
        headers[TriggerHeaders.Limit] = Limit.Value.ToString(CultureInfo.InvariantCulture);
        headers[TriggerHeaders.LimitRemaining] = "0";
    }

    private static int StatusOf(ErrorCode code)
    {
        // A v1 writer that skips a number asks for the last one before it tries again, which mends it.
        if (code == ErrorCode.SequenceGap) return StatusCodes.Status503ServiceUnavailable;
        return code.Status switch
        {
            // Not 409, which clients retry for nine seconds; the others they know no exception for.
            StatusCodes.Status406NotAcceptable or StatusCodes.Status409Conflict or StatusCodes.Status412PreconditionFailed
                or StatusCodes.Status415UnsupportedMediaType => StatusCodes.Status400BadRequest,
            // The v1 writer retries 500, 502, 503 and 504 only.
            StatusCodes.Status507InsufficientStorage => StatusCodes.Status503ServiceUnavailable,
            var status => status,
        };
    }
}
