using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Http.Tests;

public sealed class ProblemMiddlewareTests
{
    public static TheoryData<Exception, string, int> Exceptions => new()
    {
        { new RegistryUnavailableException("Host=secret"), "registry_unavailable", 503 },
        { new LogUnavailableException("nats://secret"), "log_unavailable", 503 },
        { new BadHttpRequestException("Request body too large.", 413), "body_too_large", 413 },
        { new BadHttpRequestException("Unexpected end of request content."), "invalid_request", 400 },
        { new OperationCanceledException("secret"), "shutting_down", 503 },
        { new InvalidOperationException("secret"), "internal", 500 },
    };

    [Theory]
    [MemberData(nameof(Exceptions))]
    public async Task An_exception_becomes_a_problem_that_does_not_show_its_inside(Exception exception, string code, int status)
    {
        var (context, problem) = await AnswerAsync(_ => throw exception);

        Assert.Equal(status, context.Response.StatusCode);
        Assert.Equal("application/problem+json", context.Response.ContentType);
        Assert.Equal(code, problem!.Code);
        Assert.Equal(status, problem.Status);
        Assert.Equal(status >= 500, problem.Retryable);
        Assert.DoesNotContain("secret", problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404, "not_found")]
    [InlineData(405, "method_not_allowed")]
    [InlineData(415, "unsupported_media_type")]
    [InlineData(400, "invalid_request")]
    [InlineData(418, "invalid_request")]
    public async Task A_status_without_a_body_gets_one(int status, string code)
    {
        var (context, problem) = await AnswerAsync(context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });

        Assert.Equal(status, context.Response.StatusCode);
        Assert.Equal(code, problem!.Code);
        Assert.Equal(status, problem.Status);
    }

    [Fact]
    public async Task An_answer_that_has_a_body_is_left_alone()
    {
        var (context, _) = await AnswerAsync(context =>
        {
            context.Response.StatusCode = 400;
            context.Response.ContentType = "text/plain";
            return Task.CompletedTask;
        });

        Assert.Equal("text/plain", context.Response.ContentType);
        Assert.Equal(0, context.Response.Body.Length);
    }

    [Fact]
    public void Every_row_of_the_table_becomes_a_problem()
    {
        var rows = typeof(ErrorCode).GetFields().Where(field => field.FieldType == typeof(ErrorCode)).Select(field => (ErrorCode)field.GetValue(null)!);

        Assert.All(rows, row =>
        {
            var problem = Problems.From(row, "detail", "field").Value;
            Assert.Equal(
                (row.Code, row.Status, row.Title, row.Type, row.Retryable, "detail", "field"),
                (problem.Code, problem.Status, problem.Title, problem.Type, problem.Retryable, problem.Detail, problem.Field));
        });
    }

    private static async Task<(HttpContext Context, Problem? Problem)> AnswerAsync(RequestDelegate endpoint)
    {
        var context = new DefaultHttpContext { Response = { Body = new MemoryStream() } };
        await new ProblemMiddleware(endpoint, NullLogger<ProblemMiddleware>.Instance).InvokeAsync(context);
        context.Response.Body.Position = 0;
        return (context, context.Response.Body.Length == 0 ? null : JsonSerializer.Deserialize(context.Response.Body, NativeJson.Default.Problem));
    }
}
