using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Http;

/// <summary>An error as <c>application/problem+json</c> (RFC 9457).</summary>
/// <param name="problem">What is told.</param>
public sealed class ProblemResult(Problem problem) : IResult, IStatusCodeHttpResult, IContentTypeHttpResult, IValueHttpResult<Problem>,
    IEndpointMetadataProvider
{
    /// <summary>The media type of every error.</summary>
    public const string MediaType = "application/problem+json";

    /// <inheritdoc />
    public Problem Value => problem;

    /// <inheritdoc />
    public int? StatusCode => problem.Status;

    /// <inheritdoc />
    public string ContentType => MediaType;

    /// <inheritdoc />
    public Task ExecuteAsync(HttpContext httpContext) => Problems.WriteAsync(httpContext, problem);

    /// <inheritdoc />
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status400BadRequest, typeof(Problem), [MediaType]));
}
