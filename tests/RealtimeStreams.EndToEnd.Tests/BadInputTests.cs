using System.Text;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>What is wrong is told with its status, code and text, and leaves the log as it was.</summary>
public sealed class BadInputTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process.CreateClient());

    /// <summary>Appends that store nothing: media type, body, header, its value, query, then the answer's status, code, text and field.</summary>
    public static TheoryData<string, string, string?, string?, string, int, string, string, string?> Appends => new()
    {
        // Bodies.
        { Api.Json, "{\"a\":", null, null, "", 400, "invalid_json", "The body is not one JSON value", null },
        { Api.Json, "", null, null, "", 400, "invalid_json", "The body is empty", null },
        { Api.Json, "1 2", null, null, "", 400, "invalid_json", "The body is not one JSON value", null },
        { Api.Json, "{\"a\":1}", null, null, "?batch=true", 400, "invalid_json", "With batch=true the body must be a JSON array", null },
        { Api.Json, "[1,oops]", null, null, "?batch=true", 400, "invalid_json", "The body is not one JSON value", null },
        { Api.Json, "1", null, null, "?batch=perhaps", 400, "invalid_request", "The parameter batch must be true or false", "batch" },
        { Api.Lines, "1", null, null, "?batch=true", 400, "invalid_request", "The parameter batch=true goes with application/json only", "batch" },
        { Api.Lines, "oops\n1\n", null, null, "", 400, "invalid_json", "Line 1 is not one JSON value", null },
        // Media types.
        { "", "1", null, null, "", 415, "unsupported_media_type", "No media type was sent", "Content-Type" },
        { "text/xml", "<a/>", null, null, "", 415, "unsupported_media_type", "text/xml is not taken here", "Content-Type" },
        { "application/json; charset=utf-16", "1", null, null, "", 415, "unsupported_media_type", "application/json; charset=utf-16 is not taken here", "Content-Type" },
        { "nonsense", "1", null, null, "", 415, "unsupported_media_type", "nonsense is not taken here", "Content-Type" },
        { Api.Json, "1", "Content-Encoding", "gzip", "", 415, "unsupported_media_type", "The content coding gzip is not taken here", "Content-Encoding" },
        // Producers and keys.
        { Api.Json, "1", NativeHeaders.ProducerId, "p", "", 400, "invalid_request", "is missing beside", NativeHeaders.ProducerSequence },
        { Api.Json, "1", NativeHeaders.ProducerSequence, "0", "", 400, "invalid_request", "is missing beside", NativeHeaders.ProducerId },
        { Api.Json, "1", NativeHeaders.ProducerEpoch, "0", "", 400, "invalid_request", "needs", NativeHeaders.ProducerEpoch },
        { Api.Lines, "1", NativeHeaders.IdempotencyKey, "k", "", 400, "invalid_request", "covers one step", NativeHeaders.IdempotencyKey },
        { Api.Json, "1", NativeHeaders.IdempotencyKey, new string('k', 129), "", 400, "invalid_request", "has 129 bytes; it must have 1 to 128", NativeHeaders.IdempotencyKey },
    };

    [Theory]
    [MemberData(nameof(Appends))]
    public async Task An_append_that_is_wrong_is_refused_and_stores_nothing(
        string contentType, string body, string? header, string? value, string query, int status, string code, string text, string? field)
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "\"before\"");
        using var request = api.Request(HttpMethod.Post, Api.StreamPath(run, "s") + query);
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        if (contentType.Length > 0) request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        if (header is not null && !request.Headers.TryAddWithoutValidation(header, value)) request.Content.Headers.TryAddWithoutValidation(header, value);

        var problem = await Api.ReadProblemAsync(await api.Client.SendAsync(request, Api.Cancellation));

        AssertProblem(problem, status, code, text, field);
        Assert.Equal(["\"before\""], (await api.PageAsync(run, "s")).Data);
    }

    [Theory]
    [InlineData("-1", "0")]
    [InlineData("9007199254740992", "0")]
    [InlineData("1e3", "0")]
    [InlineData("0", "-1")]
    [InlineData("0", "4294967296")]
    [InlineData("0", "x")]
    public async Task Numbers_of_a_producer_that_are_none_are_refused(string sequence, string epoch)
    {
        var run = await api.RegisterAsync();

        var problem = await Api.ReadProblemAsync(await api.SendAsync(
            HttpMethod.Post,
            Api.StreamPath(run, "s"),
            "1",
            Api.Json,
            (NativeHeaders.ProducerId, "p"),
            (NativeHeaders.ProducerSequence, sequence),
            (NativeHeaders.ProducerEpoch, epoch)));

        Assert.Equal((400, "invalid_request"), (problem.Status, problem.Code));
        Assert.Contains("must be a number from 0 to", problem.Detail, StringComparison.Ordinal);
        Assert.Empty((await api.PageAsync(run, "s")).Chunks);
    }

    [Fact]
    public async Task Broken_json_in_the_middle_of_lines_keeps_what_came_before_and_names_the_line()
    {
        var run = await api.RegisterAsync();

        var problem = await Api.ReadProblemAsync(await api.SendAsync(
            HttpMethod.Post, Api.StreamPath(run, "s"), "1\n\n2\n{\"a\":}\n3\n", Api.Lines, Api.Producer("p", 0)));

        AssertProblem(problem, 400, "invalid_json", "Line 4 is not one JSON value", null);
        Assert.Equal(new AppendReceipt(0, 2, 2, 0, 2), problem.Receipt);
        Assert.Equal(["1", "2"], (await api.PageAsync(run, "s")).Data);
        Assert.Equal(new AppendReceipt(2, 3, 1, 0, 3), await api.AppendAsync(run, "s", "3", Api.Json, Api.Producer("p", 2)));
    }

    [Theory]
    [InlineData("POST", "/api/v1/runs", "{\"id\":5}", 400, "invalid_request", "The field id has a value that it cannot have", "id")]
    [InlineData("POST", "/api/v1/runs", "{\"tags\":\"a\"}", 400, "invalid_request", "The field tags", "tags")]
    [InlineData("POST", "/api/v1/runs", "{\"streamsVersion\":\"v3\"}", 400, "invalid_request", "The field streamsVersion", "streamsVersion")]
    [InlineData("POST", "/api/v1/runs", "[]", 400, "invalid_request", "The body must be a JSON object", null)]
    [InlineData("POST", "/api/v1/runs", "{\"id\":\"a\"", 400, "invalid_json", "The body is not valid JSON", null)]
    [InlineData("POST", "/api/v1/runs", "{\"id\":\"\"}", 400, "invalid_run_id", "The field id is empty", "id")]
    [InlineData("POST", "/api/v1/runs", "{\"id\":\"root\"}", 400, "invalid_run_id", "The field id is a word that stands for a target", "id")]
    [InlineData("POST", "/api/v1/runs", "{\"id\":\"a\\u0000b\"}", 400, "invalid_run_id", "The field id contains the control character U+0000", "id")]
    [InlineData("POST", "/api/v1/runs", "{\"parentRunId\":\"..\"}", 400, "invalid_run_id", "The field parentRunId is a path segment", "parentRunId")]
    [InlineData("POST", "/api/v1/runs", "{\"parentRunId\":\"nobody\"}", 404, "run_not_found", "", null)]
    [InlineData("GET", "/api/v1/runs?limit=0", null, 400, "invalid_request", "The parameter limit must be a number from 1 to 200", "limit")]
    [InlineData("GET", "/api/v1/runs?limit=x", null, 400, "invalid_request", "The parameter limit must be a number from 1 to 200", "limit")]
    [InlineData("GET", "/api/v1/runs?status=done", null, 400, "invalid_request", "The parameter status must be", "status")]
    [InlineData("GET", "/api/v1/runs?cursor=nonsense", null, 400, "invalid_request", "", null)]
    [InlineData("GET", "/api/v1/runs/nobody", null, 404, "run_not_found", "There is no run nobody", null)]
    [InlineData("GET", "/api/v1/runs/nobody/streams", null, 404, "run_not_found", "There is no run nobody", null)]
    [InlineData("GET", "/api/v1/runs/nobody/streams/s", null, 404, "run_not_found", "", null)]
    [InlineData("POST", "/api/v1/runs/nobody/streams/s", "1", 404, "run_not_found", "There is no run nobody", null)]
    [InlineData("POST", "/api/v1/runs/nobody/streams/s/close", "{}", 404, "run_not_found", "There is no run nobody", null)]
    [InlineData("POST", "/api/v1/runs/nobody/complete", "{}", 404, "run_not_found", "There is no run nobody", null)]
    [InlineData("DELETE", "/api/v1/runs/nobody", null, 404, "run_not_found", "There is no run nobody", null)]
    [InlineData("GET", "/api/v1/runs/root", null, 400, "invalid_run_id", "The run id is a word that stands for a target", null)]
    [InlineData("GET", "/api/v1/runs/%00", null, 400, "", "", null)]
    [InlineData("GET", "/api/v1/runs/a%0Ab", null, 400, "invalid_run_id", "The run id contains the control character U+000A", null)]
    [InlineData("GET", "/api/v1/runs/%C3", null, 400, "invalid_run_id", "The run id in the path is not percent-encoded UTF-8", null)]
    [InlineData("GET", "/api/v1/runs/r/streams/%FF", null, 400, "invalid_stream_key", "The stream key in the path is not percent-encoded UTF-8", null)]
    [InlineData("PUT", "/api/v1/runs", "{}", 405, "method_not_allowed", "PUT is not allowed here", null)]
    [InlineData("PATCH", "/api/v1/runs/r/streams/s", "{}", 405, "method_not_allowed", "PATCH is not allowed here", null)]
    [InlineData("GET", "/api/v1/nothing", null, 404, "not_found", "There is nothing at this address", null)]
    [InlineData("GET", "/api/v1/runs/r/streams/s/more/of/it", null, 404, "not_found", "There is nothing at this address", null)]
    [InlineData("GET", "/", null, 404, "not_found", "There is nothing at this address", null)]
    public async Task A_request_that_is_wrong_is_told_why(
        string method, string path, string? body, int status, string code, string text, string? field)
    {
        using var response = await api.SendAsync(new HttpMethod(method), path, body);

        if (code.Length == 0)
        {
            // Refused by the web server itself, before anything of ours runs.
            Assert.Equal(status, (int)response.StatusCode);
            return;
        }
        AssertProblem(await Api.ReadProblemAsync(response), status, code, text, field);
    }

    [Theory]
    [InlineData("?startIndex=x", null, "invalid_start_index", "startIndex")]
    [InlineData("?startIndex=", null, "invalid_start_index", "startIndex")]
    [InlineData("?startIndex=1.5", null, "invalid_start_index", "startIndex")]
    [InlineData("?startIndex=99999999999999999999", null, "invalid_start_index", "startIndex")]
    [InlineData("?startIndex=9223372036854775807", null, "invalid_start_index", "startIndex")]
    [InlineData("?startIndex=-9223372036854775808", null, "invalid_start_index", "startIndex")]
    [InlineData("?startIndex=1&startIndex=2", null, "invalid_start_index", "startIndex")]
    [InlineData("", "x", "invalid_start_index", "Last-Event-ID")]
    [InlineData("", "-1", "invalid_start_index", "Last-Event-ID")]
    [InlineData("", "9223372036854775807", "invalid_start_index", "Last-Event-ID")]
    [InlineData("?timeoutInSeconds=0", null, "invalid_request", "timeoutInSeconds")]
    [InlineData("?timeoutInSeconds=86401", null, "invalid_request", "timeoutInSeconds")]
    [InlineData("?limit=10001", null, "invalid_request", "limit")]
    [InlineData("?limit=-1", null, "invalid_request", "limit")]
    public async Task A_read_that_asks_for_nonsense_is_told_which_parameter_and_its_bounds(string query, string? lastEventId, string code, string field)
    {
        var run = await api.RegisterAsync();

        var problem = await Api.ReadProblemAsync(
            await api.SendAsync(HttpMethod.Get, Api.StreamPath(run, "s") + query, headers: ("Last-Event-ID", lastEventId)));

        Assert.Equal((400, code, field), (problem.Status, problem.Code, problem.Field));
        Assert.Contains("it must be", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_media_type_that_cannot_be_given_is_not_acceptable()
    {
        var run = await api.RegisterAsync();

        var problem = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Get, Api.StreamPath(run, "s"), headers: ("Accept", "image/png")));

        AssertProblem(problem, 406, "not_acceptable", "Accept text/event-stream, application/x-ndjson or application/json", "Accept");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer wrong-secret-key-0123456789")]
    [InlineData("Basic dXNlcjpwYXNz")]
    [InlineData("test-secret-key-0123456789abcdef")]
    public async Task Without_the_secret_key_nothing_is_told_or_done(string? authorization)
    {
        var run = await api.RegisterAsync();
        using var stranger = new HttpClient { BaseAddress = server.Process.Address };
        using var anonymous = new Api(stranger);
        foreach (var (method, path, body) in new (HttpMethod, string, string?)[]
        {
            (HttpMethod.Post, "/api/v1/runs", "{}"), (HttpMethod.Get, "/api/v1/runs", null), (HttpMethod.Get, $"/api/v1/runs/{run}", null),
            (HttpMethod.Get, "/api/v1/runs/nobody", null), (HttpMethod.Post, $"/api/v1/runs/{run}/complete", "{}"), (HttpMethod.Delete, $"/api/v1/runs/{run}", null),
            (HttpMethod.Get, $"/api/v1/runs/{run}/streams", null), (HttpMethod.Post, Api.StreamPath(run, "s"), "1"), (HttpMethod.Get, Api.StreamPath(run, "s"), null),
            (HttpMethod.Post, Api.StreamPath(run, "s") + "/close", "{}"),
        })
        {
            using var response = await anonymous.SendAsync(method, path, body, headers: ("Authorization", authorization));

            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
            AssertProblem(await Api.ReadProblemAsync(response), 401, "unauthorized", "Send the environment's secret key", null);
        }
        var left = await Api.ReadAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}"), NativeJson.Default.RunInfo);
        Assert.Equal(RunStatus.Open, left.Status);
        Assert.Empty(left.Streams!);
    }

    public static TheoryData<string> OddIds =>
    [
        "a/b", "a%2Fb", "a%252Fb", "a.b", "...", "*", ">", "a>b.*", "a b", " lead and trail ", "ü", "日本語", "😀", "a+b", "a?b#c&d=e", "a\\b", "'\"<>", "%", "%zz",
        "_", "-", "A", "a:b@c", new string('x', 256), "e\u0301", "\u00e9",
    ];

    [Theory]
    [MemberData(nameof(OddIds))]
    public async Task Odd_characters_in_ids_make_a_round_trip_and_name_one_stream_each(string odd)
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, odd, "\"by key\"");
        var id = odd.Length > 200 ? odd : $"{odd}{Guid.NewGuid():N}";
        using var registered = await api.SendAsync(
            HttpMethod.Post, "/api/v1/runs", System.Text.Json.JsonSerializer.Serialize(new RegisterRun(id), NativeJson.Default.RegisterRun));
        await api.AppendAsync(id, odd, "\"by both\"");

        Assert.Equal(["\"by key\""], (await api.PageAsync(run, odd)).Data);
        Assert.Equal(["\"by both\""], (await api.PageAsync(id, odd)).Data);
        var info = await Api.ReadAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{Uri.EscapeDataString(id)}"), NativeJson.Default.RunInfo);
        Assert.Equal((id, odd), (info.Id, Assert.Single(info.Streams!).Key));
        Assert.Equal(1, info.Streams![0].NextIndex);
    }

    [Fact]
    public async Task Ids_that_look_alike_are_different_streams()
    {
        var run = await api.RegisterAsync();
        string[] keys = ["a/b", "a%2Fb", "a%252Fb", "a.b", "a b", "a+b", "A/b", "e\u0301", "\u00e9"];
        foreach (var key in keys) await api.AppendAsync(run, key, System.Text.Json.JsonSerializer.Serialize(key));

        foreach (var key in keys) Assert.Equal([System.Text.Json.JsonSerializer.Serialize(key)], (await api.PageAsync(run, key)).Data);
        var listed = await Api.ReadAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}/streams"), NativeJson.Default.StreamList);
        Assert.Equal(keys.Order(StringComparer.Ordinal), listed.Streams.Select(stream => stream.Key).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(257, "x", "The stream key is 257 characters long; at most 256 bytes of UTF-8 are allowed.")]
    [InlineData(129, "ü", "The stream key is 258 bytes long; at most 256 bytes of UTF-8 are allowed.")]
    public async Task Ids_that_are_too_long_are_refused(int count, string character, string text)
    {
        var run = await api.RegisterAsync();
        var key = string.Concat(Enumerable.Repeat(character, count));

        var stream = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, key), "1"));
        var ofRun = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, Api.StreamPath(key, "s"), "1"));
        var registered = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, "/api/v1/runs", $"{{\"id\":\"{key}\"}}"));

        AssertProblem(stream, 400, "invalid_stream_key", text, null);
        AssertProblem(ofRun, 400, "invalid_run_id", text.Replace("stream key", "run id", StringComparison.Ordinal), null);
        AssertProblem(registered, 400, "invalid_run_id", "The field id is", "id");
        Assert.Empty((await Api.ReadAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}/streams"), NativeJson.Default.StreamList)).Streams);
    }

    [Theory]
    [InlineData("{\"outcome\":\"perfect\"}", "invalid_request", "outcome")]
    [InlineData("{\"outcome\":\"abandoned\"}", "invalid_request", "outcome")]
    [InlineData("{\"outcome\":7}", "invalid_request", "outcome")]
    [InlineData("{\"finalChunk\":}", "invalid_json", null)]
    [InlineData("completed", "invalid_json", null)]
    public async Task A_close_that_is_wrong_closes_nothing(string body, string code, string? field)
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "1");

        var problem = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s") + "/close", body));

        Assert.Equal((400, code, field), (problem.Status, problem.Code, problem.Field));
        Assert.Equal("open", (await api.PageAsync(run, "s")).State);
    }

    public void Dispose() => api.Dispose();

    private static void AssertProblem(Problem problem, int status, string code, string text, string? field)
    {
        Assert.Equal((status, code, field), (problem.Status, problem.Code, problem.Field));
        Assert.Contains(text, problem.Detail, StringComparison.Ordinal);
        Assert.Equal($"urn:realtimestreams:error:{code}", problem.Type);
        Assert.NotEmpty(problem.Title!);
    }
}
