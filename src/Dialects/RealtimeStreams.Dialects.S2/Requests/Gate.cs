using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Http;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Requests;

/// <summary>What stands before every endpoint: the credential, the basin, the stream's name; and behind it: a body of S2's kind for what goes wrong.</summary>
internal static partial class Gate
{
    public const string StreamParameter = "stream";

    private const string BasinHeader = "s2-basin";
    private const string EncryptionKeyHeader = "s2-encryption-key";

    /// <summary>Lets in who has the environment's secret key, and who has a token for the operation on the stream in the path.</summary>
    /// <param name="endpoints">The endpoints.</param>
    /// <param name="operation">The operation; null: only the secret key opens them.</param>
    public static TBuilder RequireCredential<TBuilder>(this TBuilder endpoints, string? operation = null)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Add(endpoint =>
        {
            var inner = endpoint.RequestDelegate!;
            var hasStream = ((RouteEndpointBuilder)endpoint).RoutePattern.GetParameter(StreamParameter) is not null;
            endpoint.RequestDelegate = context => ServeAsync(context, inner, hasStream, operation);
        });
        return endpoints;
    }

    private static async Task ServeAsync(HttpContext context, RequestDelegate inner, bool hasStream, string? operation)
    {
        try
        {
            if (await AdmitAsync(context, hasStream, operation) is not { } error)
            {
                await inner(context);
                return;
            }
            if (error.Status == StatusCodes.Status401Unauthorized) context.Response.Headers.WWWAuthenticate = "Bearer";
            await Answers.Error(error).ExecuteAsync(context);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to be told.
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            var error = S2Errors.Explain(exception);
            if (error.Status == StatusCodes.Status500InternalServerError)
                LogFailed(context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Gate)), context.Request.Method, exception);
            await Answers.Error(error).ExecuteAsync(context);
        }
        finally
        {
            RequestLimits.Release(context);
        }
    }

    private static async ValueTask<S2Error?> AdmitAsync(HttpContext context, bool hasStream, string? operation)
    {
        var headers = context.Request.Headers;
        if (Bearer.Find(headers) is not { } bearer) return Unauthenticated();
        var credentials = context.RequestServices.GetRequiredService<ICredentials>();
        var logins = context.RequestServices.GetRequiredService<Logins>();
        if (await logins.FindAsync(context, bearer) is not { } credential)
            return logins.CountFailure(context) is { } guessing ? S2Errors.From(guessing) : Unauthenticated();
        var environment = credential.Environment;
        var permit = credential.Grant is { } grant ? new Permit(grant) : null;
        if (context.RequestServices.GetRequiredService<RequestLimits>().Admit(context, environment, permit is null ? null : bearer) is { } limited)
            return S2Errors.From(limited);
        StreamName? stream = null;
        if (hasStream && (stream = FindStream(context, permit)) is null)
            return S2Error.BadPath("A stream's name has 1 to 512 bytes of UTF-8 without U+0000, is percent-encoded as one segment, and is neither . nor ...");
        if (permit is not null && (operation is null || stream is null || !permit.Allows(operation, stream)))
        {
            credentials.CountForbidden();
            return S2Error.PermissionDenied(operation is null ? "This needs the environment's secret key." : $"This token does not allow {operation} on this stream.");
        }
        if (headers[BasinHeader] is { Count: > 0 } basin && basin != S2Names.BasinOf(environment))
            return S2Error.BasinNotFound($"There is no basin {MediaTypes.Shorten(basin.ToString())}; this credential opens {S2Names.BasinOf(environment)}.");
        if (headers.ContainsKey(EncryptionKeyHeader))
            return S2Error.BadHeader($"The header {EncryptionKeyHeader} asks for encryption with the client's key, which this server does not have.");
        context.Features.Set(new Call(credential, stream, permit));
        return null;
    }

    private static StreamName? FindStream(HttpContext context, Permit? permit) =>
        RawPath.Find(context, StreamParameter) is { Length: > 0 } name ? StreamName.TryParse(permit?.Complete(name) ?? name) : null;

    private static S2Error Unauthenticated() => S2Error.Unauthenticated("Send the environment's secret key, or a token for the stream, as Authorization: Bearer <credential>.");

    [LoggerMessage(EventId = 2301, Level = LogLevel.Error, Message = "A {Method} request of S2's dialect failed")]
    private static partial void LogFailed(ILogger logger, string method, Exception exception);
}
