using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Tests.Wire;

public sealed class S2ErrorsTests
{
    // What clients try again by themselves.
    private static readonly int[] retried = [408, 429, 500, 502, 503, 504];

    public static TheoryData<string> Codes =>
        [.. typeof(ErrorCode).GetFields(BindingFlags.Public | BindingFlags.Static).Where(row => row.FieldType == typeof(ErrorCode)).Select(row => row.Name)];

    [Theory]
    [MemberData(nameof(Codes))]
    public void A_client_tries_again_what_can_succeed_later_and_nothing_else(string row)
    {
        var code = (ErrorCode)typeof(ErrorCode).GetField(row)!.GetValue(null)!;

        var error = S2Errors.From(new Refusal(code, "Because."));

        Assert.Equal(code.Retryable, retried.Contains(error.Status));
        Assert.NotEmpty(error.Code);
        Assert.Equal("Because.", JsonDocument.Parse(error.Body).RootElement.GetProperty("message").GetString());
    }

    [Fact]
    public void A_row_that_was_changed_beside_its_word_is_still_that_row() =>
        Assert.Equal(503, S2Errors.From(new Refusal(ErrorCode.LogUnavailable with { MayHaveWritten = false }, "")).Status);

    public static TheoryData<Exception, int, string> Exceptions => new()
    {
        { new RegistryUnavailableException("Host=secret"), 503, "unavailable" },
        { new LogUnavailableException("nats://secret"), 503, "unavailable" },
        { new OperationCanceledException("secret"), 503, "unavailable" },
        { new BadHttpRequestException("Too slow.", 408), 408, "request_timeout" },
        { new BadHttpRequestException("Too large.", 413), 422, "invalid" },
        { new InvalidOperationException("secret"), 500, "other" },
    };

    [Theory]
    [MemberData(nameof(Exceptions))]
    public void An_exception_is_told_without_its_inside(Exception exception, int status, string code)
    {
        var error = S2Errors.Explain(exception);

        Assert.Equal((status, code), (error.Status, error.Code));
        Assert.DoesNotContain("secret", System.Text.Encoding.UTF8.GetString(error.Body.Span), StringComparison.Ordinal);
    }
}
