using System.Net;
using System.Text.Json;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Dialects.Trigger.Tests;

public sealed class S2AccessTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => api.Dispose();

    [Fact]
    public async Task A_writer_of_a_v2_run_is_told_where_and_how_to_write()
    {
        var run = await api.RegisterAsync();

        var access = await OpenAsync(run, "out");

        Assert.Matches("^[a-z0-9][a-z0-9-]{6,46}[a-z0-9]$", access.Basin);
        Assert.Equal($"{server.Process.Address}v1", access.Endpoint);
        Assert.Equal($"runs/{run}/out", access.Stream);
        Assert.Equal(3, access.Token.Split('.').Length);
    }

    [Fact]
    public async Task What_it_writes_is_read_once_with_the_ids_that_it_gave()
    {
        var run = await api.RegisterAsync();
        var access = await OpenAsync(run, "out");
        const string Batch = """{"records":[{"body":"{\"data\":{\"n\":\"\\\"1\\\"\"},\"id\":\"aaaaaaa\"}"},{"body":"{\"data\":\"two\",\"id\":\"bbbbbbb\"}"}]}""";

        foreach (var _ in (int[])[1, 2]) // The second time is that of a client that was cut before it got the answer.
        {
            await StoreAsync(access, Batch);
        }
        await StoreAsync(access, """{"records":[{"body":"plain text"},{"body":"1","headers":[["a","b"]]}]}""");

        using var reader = await api.ReadAsync(run, "out");
        var records = await reader.TakeAsync(4);
        Assert.Equal([("""{"n":"\"1\""}""", "aaaaaaa"), ("\"two\"", "bbbbbbb"), ("\"plain text\"", "#2"), ("1", "#3")], records.Select(record => (record.Data, record.Id)));
        Assert.Equal("""{"data":{"n":"\"1\""},"id":"aaaaaaa"}""", records[0].Body);
        Assert.Equal(["""{"n":"\"1\""}""", "\"two\"", "\"plain text\"", "1"], await api.PageAsync(run, "out"));
    }

    [Fact]
    public async Task Bodies_of_every_form_and_length_reach_readers_as_values()
    {
        var run = await api.RegisterAsync();
        var access = await OpenAsync(run, "out");
        var random = new Random(7);
        var spaced = $"[{string.Join(",\t", Enumerable.Range(0, 5000).Select(n => $"\"{n}\\\\{(n % 3 == 0 ? "\\\"" : "ü")}\""))}]";
        var text = new string([.. Enumerable.Range(0, 9000).Select(_ => (char)random.Next(1, 0x250))]);
        string[] bodies = [spaced, "{\"a\":\r\n1}", text, ""];

        foreach (var body in bodies)
        {
            await StoreAsync(access, JsonSerializer.Serialize(new { records = new[] { new { body } } }));
        }
        using (var binary = await api.SendAsync(
            HttpMethod.Post, $"/v1/streams/{Uri.EscapeDataString(access.Stream)}/records", """{"records":[{"body":"/wD+"}]}""",
            "Authorization", $"Bearer {access.Token}", "s2-basin", access.Basin, "s2-format", "base64")) Assert.Equal(HttpStatusCode.OK, binary.StatusCode);

        using var reader = await api.ReadAsync(run, "out");
        var records = await reader.TakeAsync(5);
        Assert.Equal(spaced, records[0].Data);
        Assert.Equal("{\"a\":  1}", records[1].Data);
        Assert.Equal([text, "", "/wD+"], records.Skip(2).Select(record => JsonSerializer.Deserialize<string>(record.Data)));
    }

    [Fact]
    public async Task Headers_of_records_are_passed_on_and_commands_are_known_by_theirs()
    {
        var run = await api.RegisterAsync();
        var access = await OpenAsync(run, "out");
        access = access with { Token = server.Process.SecretKey }; // Fencing is nothing that a writer's token allows.
        await StoreAsync(access, """{"records":[{"body":"1","headers":[["kind","n\"ote"]]},{"body":"token","headers":[["","fence"]]}]}""");

        using var answer = await api.SendAsync(HttpMethod.Get, $"/realtime/v1/streams/{run}/out", null, "Timeout-Seconds", "1");
        var text = await answer.Content.ReadAsStringAsync(Cancellation);

        Assert.Contains("""
            "headers":[["kind","n\"ote"]],"body"
            """, text, StringComparison.Ordinal);
        Assert.Contains("""
            "headers":[["","fence"]],"body"
            """, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_token_is_good_for_nothing_but_appends_to_that_stream()
    {
        var run = await api.RegisterAsync();
        var access = await OpenAsync(run, "out");
        var bearer = $"Bearer {access.Token}";

        using var other = await WriteAsync(access, $"runs/{run}/other", """{"records":[{"body":"1"}]}""");
        using var read = await api.SendAsync(HttpMethod.Get, $"/v1/streams/{Uri.EscapeDataString(access.Stream)}/records/tail", null, "Authorization", bearer, "s2-basin", access.Basin);

        Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, read.StatusCode);
        await api.RefusedAsync(HttpStatusCode.Forbidden, HttpMethod.Get, $"/realtime/v1/streams/{run}/out", null, "Authorization", bearer);
        await api.RefusedAsync(HttpStatusCode.Unauthorized, HttpMethod.Post, $"/realtime/v1/streams/{run}/self/out/append", "x", "Authorization", bearer);
    }

    [Fact]
    public async Task A_stream_whose_name_cannot_stand_in_a_header_is_written_with_lines()
    {
        var run = await api.RegisterAsync();

        foreach (var key in (string[])["schl%C3%BCssel", "ends%20"])
        {
            using var answer = await api.SendAsync(HttpMethod.Put, $"/realtime/v1/streams/{run}/self/{key}");
            Assert.Equal("""{"version":"v1"}""", await answer.Content.ReadAsStringAsync(Cancellation));
        }
    }

    [Fact]
    public async Task The_address_that_is_set_is_the_one_that_is_told()
    {
        await using var other = await ServerProcess.StartAsync(
            new ServerProcessOptions
            {
                Settings = new Dictionary<string, string> { ["RealtimeStreams__S2__Endpoint"] = "https://streams.example/v1/", ["RealtimeStreams__S2__FlushInterval"] = "00:00:00.010" },
            },
            Cancellation);
        using var there = new Api(other);
        var run = await there.RegisterAsync();

        using var answer = await there.SendAsync(HttpMethod.Put, $"/realtime/v1/streams/{run}/self/out");

        Assert.Equal("https://streams.example/v1", answer.Headers.GetValues("X-S2-Endpoint").Single());
        Assert.Equal("10", answer.Headers.GetValues("X-S2-Flush-Interval-Ms").Single());
    }

    private async Task<Access> OpenAsync(string run, string key)
    {
        using var answer = await api.SendAsync(HttpMethod.Put, $"/realtime/v1/streams/{run}/self/{key}");
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal("""{"version":"v2"}""", await answer.Content.ReadAsStringAsync(Cancellation));
        string Header(string name) => answer.Headers.GetValues(name).Single();
        return new Access(Header("X-S2-Access-Token"), Header("X-S2-Basin"), Header("X-S2-Endpoint"), Header("X-S2-Stream-Name"));
    }

    private async Task StoreAsync(Access access, string records)
    {
        using var written = await WriteAsync(access, access.Stream, records);
        Assert.True(written.StatusCode == HttpStatusCode.OK, await written.Content.ReadAsStringAsync(Cancellation));
    }

    private Task<HttpResponseMessage> WriteAsync(Access access, string stream, string records) => api.SendAsync(
        HttpMethod.Post, $"/v1/streams/{Uri.EscapeDataString(stream)}/records", records, "Authorization", $"Bearer {access.Token}", "s2-basin", access.Basin);

    private sealed record Access(string Token, string Basin, string Endpoint, string Stream);
}
