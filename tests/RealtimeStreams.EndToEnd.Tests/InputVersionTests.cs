using RealtimeStreams.Protocol;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Inputs came with streams version v2: a run of v1 takes none, by any dialect.</summary>
public sealed class InputVersionTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process.CreateClient());

    public void Dispose() => api.Dispose();

    [Theory]
    [InlineData("POST", "/api/v1/runs/{0}/inputs/x", "1", Api.Json)]
    [InlineData("POST", "/api/v1/runs/{0}/inputs/x", "1\n", Api.Lines)]
    [InlineData("POST", "/api/v1/runs/{0}/streams/$input:x", "1", Api.Json)]
    [InlineData("POST", "/api/v1/runs/{0}/streams/$input%3Ax?batch=true", "[1]", Api.Json)]
    [InlineData("POST", "/api/v1/runs/{0}/streams/$input:x", "1\n", Api.Lines)]
    [InlineData("POST", "/api/v1/runs/{0}/streams/$input:x/close", """{"outcome":"completed","chunk":1}""", Api.Json)]
    [InlineData("POST", "/realtime/v1/streams/{0}/input/x", """{"data":1}""", Api.Json)]
    [InlineData("PUT", "/realtime/v1/streams/{0}/self/$input:x", null, Api.Json)]
    [InlineData("POST", "/realtime/v1/streams/{0}/self/$input:x", "1\n", Api.Json)]
    [InlineData("POST", "/realtime/v1/streams/{0}/self/$input:x/append", "1", Api.Json)]
    [InlineData("POST", "/v1/streams/runs%2F{0}%2F$input:x/records", """{"records":[{"body":"1"}]}""", Api.Json)]
    [InlineData("POST", "/v1/streams/runs%2F{0}%2F%24input%3Ax/records", """{"records":[{"body":"1"}]}""", Api.Json)]
    public async Task An_input_for_a_run_of_version_1_is_refused_on_whatever_way_it_comes_and_makes_no_stream(string method, string path, string? body, string type)
    {
        var run = Api.NewId();
        using (var made = await api.SendAsync(HttpMethod.Post, "/api/v1/runs", $$"""{"id":"{{run}}","streamsVersion":"v1"}""")) Assert.Equal(201, (int)made.StatusCode);

        using var refused = await api.SendAsync(new HttpMethod(method), path.Replace("{0}", run, StringComparison.Ordinal), body, type);

        var text = await refused.Content.ReadAsStringAsync(Api.Cancellation);
        Assert.True((int)refused.StatusCode == (path.StartsWith("/v1", StringComparison.Ordinal) ? 422 : 400), $"{(int)refused.StatusCode}: {text}");
        Assert.Contains($"The run {run} has streams version v1; inputs need v2.", text, StringComparison.Ordinal);
        var listed = await Api.ReadAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}/streams"), NativeJson.Default.StreamList);
        Assert.Empty(listed.Streams);
    }
}
