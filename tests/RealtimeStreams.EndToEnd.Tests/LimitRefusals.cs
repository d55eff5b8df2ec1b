using System.Text.Json;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>What the dialects say to what goes beyond a limit of a run or of a stream.</summary>
internal static class LimitRefusals
{
    /// <summary>Tries by every dialect, and looks for the value in what each says, in its own shape.</summary>
    public static async Task AssertAsync(Api api, string run, string stream, string chunk, string value)
    {
        using (var native = await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, stream), chunk))
        {
            var problem = await Api.ReadProblemAsync(native);
            Assert.Equal(problem.Status == 413 ? "stream_full" : "limit_reached", problem.Code);
            Assert.True(problem.Status is 413 or 422, problem.Detail);
            Assert.False(problem.Retryable);
            Assert.Contains(value, problem.Detail, StringComparison.Ordinal);
        }
        using (var trigger = await api.SendAsync(HttpMethod.Post, $"/realtime/v1/streams/{run}/self/{stream}/append", chunk))
            await AssertSaysAsync(trigger, "error", value, 413, 422);
        var batch = JsonSerializer.Serialize(chunk, NativeJson.Default.String);
        using (var s2 = await api.SendAsync(HttpMethod.Post, $"/v1/streams/runs%2F{run}%2F{stream}/records", $$"""{"records":[{"body":{{batch}}}]}"""))
            Assert.Equal("quota_exhausted", (await AssertSaysAsync(s2, "message", value, 403)).GetProperty("code").GetString());
    }

    private static async Task<JsonElement> AssertSaysAsync(HttpResponseMessage answer, string field, string value, params int[] statuses)
    {
        var text = await answer.Content.ReadAsStringAsync(Api.Cancellation);
        Assert.True(statuses.Contains((int)answer.StatusCode), $"{(int)answer.StatusCode}: {text}");
        using var body = JsonDocument.Parse(text);
        Assert.Contains(value, body.RootElement.GetProperty(field).GetString(), StringComparison.Ordinal);
        return body.RootElement.Clone();
    }
}
