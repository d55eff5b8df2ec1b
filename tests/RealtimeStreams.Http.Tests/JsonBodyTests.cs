using System.Text;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Http.Tests;

public sealed class JsonBodyTests
{
    [Theory]
    [InlineData("{", "invalid_json", null)]
    [InlineData("{\"outcome\":completed}", "invalid_json", null)]
    [InlineData("[]", "invalid_request", null)]
    [InlineData("null", "invalid_request", null)]
    [InlineData("{\"outcome\":\"perfect\"}", "invalid_request", "outcome")]
    [InlineData("{\"error\":5}", "invalid_request", "error")]
    public async Task What_is_wrong_is_told_without_naming_types(string body, string code, string? field)
    {
        var (value, problem) = await ReadAsync(body);

        Assert.Null(value);
        Assert.Equal((code, field), (problem!.Value.Code, problem.Value.Field));
        Assert.DoesNotContain("System", problem.Value.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("RealtimeStreams", problem.Value.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \r\n")]
    [InlineData("{}")]
    public async Task An_empty_body_stands_for_the_defaults(string body)
    {
        var (value, problem) = await ReadAsync(body);

        Assert.Null(problem);
        Assert.Equal(new CompleteRun(), value);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_refused()
    {
        var (_, problem) = await ReadAsync($"{{\"error\":\"{new string('x', 1000)}\"}}");

        Assert.Equal(ErrorCode.BodyTooLarge.Code, problem!.Value.Code);
    }

    [Fact]
    public async Task Another_media_type_is_refused()
    {
        var (_, problem) = await ReadAsync("{}", "text/xml");

        Assert.Equal(ErrorCode.UnsupportedMediaType.Code, problem!.Value.Code);
    }

    private static Task<(CompleteRun? Value, ProblemResult? Problem)> ReadAsync(string body, string contentType = "application/json")
    {
        var context = new DefaultHttpContext();
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        context.Request.ContentType = contentType;
        return JsonBody.ReadAsync(context, NativeJson.Default.CompleteRun, new CompleteRun(), maxBytes: 500);
    }
}
