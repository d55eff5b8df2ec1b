using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RealtimeStreams.Server.Tests.Authorization;

namespace RealtimeStreams.Server.Tests.Bodies;

/// <summary>
/// JSON that no client sends by mistake, to every route that takes a body: whatever it is, it is the sender's fault (4xx) or taken, and what was taken can be told to whoever asks
/// later. A fault of the server's (5xx) would be an alarm that any token can sound.
/// </summary>
[Collection(ServerInProcess.Name)]
public sealed class HostileJsonTests(ServerInProcess server) : IDisposable
{
    private const string Key = ServerInProcess.SecretKey;

    private readonly HttpClient client = new() { BaseAddress = server.Address };
    private readonly string id = Guid.NewGuid().ToString("N");
    private int made;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Every route with a body ({run}: an open run, {named}: a stream outside of runs, {environment} and {key}: an environment and its key), with a body that has all its fields.</summary>
    private static readonly Dictionary<string, string> routes = new()
    {
        ["POST /api/v1/runs"] = """{"id":"x-{new}","taskId":"t-{id}","parentRunId":"{run}","rootRunId":"{run}","tags":["a"],"streamsVersion":"v2","triggered":true,"payload":{"a":[1]},"idempotencyKey":"k-{new}","retentionInSeconds":3600}""",
        ["POST /api/v1/runs/claim"] = """{"tasks":["nobodys-{id}"],"worker":"w","leaseInSeconds":1,"waitInSeconds":0}""",
        ["POST /api/v1/runs/{run}/complete"] = """{"outcome":"failed","error":"e","output":{"a":[1]}}""",
        ["POST /api/v1/runs/{run}/complete?"] = """{"outcome":"completed","worker":"w","attempt":1}""",
        ["POST /api/v1/runs/{run}/renew"] = """{"worker":"w","attempt":1,"leaseInSeconds":1,"stopSeen":true}""",
        ["POST /api/v1/runs/{run}/stop"] = """{"reason":"r"}""",
        ["POST /api/v1/runs/{run}/stop/seen"] = """{"worker":"w","attempt":1}""",
        ["POST /api/v1/runs/{run}/streams/s"] = """{"a":[1]}""",
        ["POST /api/v1/runs/{run}/streams/s?batch=true"] = """[{"a":[1]},"b"]""",
        ["POST /api/v1/runs/{run}/streams/s/close"] = """{"outcome":"completed","finalChunk":{"a":[1]}}""",
        ["POST /api/v1/runs/{run}/inputs/in"] = """{"a":[1]}""",
        ["POST /api/v1/tokens"] = """{"scopes":["read:runs:run_1","read:tags:a"],"expiresInSeconds":60}""",
        ["POST /api/v1/admin/environments"] = """{"id":"env-{new}"}""",
        ["PATCH /api/v1/admin/environments/{environment}"] = """{"maxStreams":5,"retentionInSeconds":3600}""",
        ["POST /api/v1/admin/environments/{environment}/keys/{key}/rotate"] = """{"overlapInSeconds":1}""",
        ["POST /api/v1/tasks/t-{id}/trigger"] = """{"payload":{"a":[1]},"options":{"payloadType":"application/json","tags":["a"],"idempotencyKey":"k-{new}","parentRunId":"{run}","metadata":{"m":1}}}""",
        ["POST /api/v1/tasks/t-{id}/trigger?"] = """{"payload":"{\"json\":{\"a\":1},\"meta\":{\"values\":1}}","options":{"payloadType":"application/super+json","tags":"a","metadata":"{\"m\":1}"}}""",
        ["POST /realtime/v1/streams/{run}/self/s"] = """{"a":[1]}""",
        ["POST /realtime/v1/streams/{run}/self/s/append"] = """{"a":[1]}""",
        ["POST /realtime/v1/streams/{run}/input/in"] = """{"data":{"a":[1]}}""",
        ["POST /api/v1/auth/jwt/claims"] = """{"claims":{"scopes":["a"]}}""",
        ["POST /v1/streams"] = """{"stream":"posted-{new}","config":{"storage_class":"express","retention_policy":{"age":3600},"timestamping":{"mode":"arrival","uncapped":false},"delete_on_empty":{"min_age_secs":0}}}""",
        ["PUT /v1/streams/put-{new}"] = """{"storage_class":"express","retention_policy":{"age":3600},"timestamping":{"mode":"arrival","uncapped":false}}""",
        ["PATCH /v1/streams/{named}"] = """{"storage_class":"express","retention_policy":{"age":3600},"timestamping":{"mode":"arrival","uncapped":false},"delete_on_empty":{"min_age_secs":0}}""",
        ["POST /v1/streams/{named}/records"] = """{"records":[{"body":"x","timestamp":1,"headers":[["n","v"]]},{"body":"y"}],"match_seq_num":0,"fencing_token":""}""",
        ["PUT /v1/basins/env-default-37a8eec1"] = """{"config":{"create_stream_on_append":true,"default_stream_config":{"storage_class":"express","timestamping":{"mode":"client-prefer"}}}}""",
        ["POST /v1/access-tokens"] = """{"id":"a","scope":{"basins":{"prefix":""},"ops":["append","read"],"op_groups":{"stream":{"read":true}},"streams":{"prefix":"x"}},"auto_prefix_streams":true,"expires_at":"2026-12-01T00:00:00Z"}""",
    };

    /// <summary>What is put in the place of every value.</summary>
    private static readonly string[] values =
    [
        "\"\\ud800\"", "\"a\\udc00b\"", "\"\\ude00\\ud83d\"", "\"\\u0000\"", "\"a\\u0000b\"", "\"\\uffff\"", "\"\"", "\".\"", $"\"{new string('x', 3000)}\"", "\"ü😀\\u2028\"",
        "0", "-1", "1.5", "1e999", "2147483648", "9223372036854775807", "9223372036854775808", "18446744073709551616", new string('9', 400),
        "null", "true", "false", "[]", "{}", "[null]", "[[]]", "[\"\\ud800\"]", "{\"\\ud800\":1}", "{\"\":\"\\udfff\"}", "{\"a\":1,\"a\":2}",
        Nested(62), Nested(63), Nested(64), Nested(2000),
    ];

    /// <summary>What is no body at all, whatever the route.</summary>
    private static readonly byte[][] bodies =
    [
        .. ((string[])["{", "}", "\"", "\\", "nul", "NaN", "Infinity", "01", "1 2", "{}{}", "{\"a\"}", "{a:1}", "{'a':1}", "[1,]", "{\"a\":1,}", "/**/{}", "{}//", "\"\\x\"", "\"\\u12\"", "\"\\ud83d\\u\"", "\u0000", "{}\0", "\u001e{}",
            "\uFEFF{}", "\"\t\"", "{\"\\ud800\":1}", "{\"\\udc00\":{\"\\ud800\":[]}}", Nested(100_000)]).Select(Encoding.UTF8.GetBytes),
        [0xff], [0xff, 0xfe, (byte)'{', 0, (byte)'}', 0], [(byte)'"', 0xed, 0xa0, 0x80, (byte)'"'], [(byte)'{', (byte)'"', 0xc0, 0x80, (byte)'"', (byte)':', (byte)'1', (byte)'}'],
        [.. "{\"id\":\""u8, 0xf0, 0x9f, .. "\",\"payload\":\""u8, 0xff, .. "\"}"u8],
    ];

    public static TheoryData<string> Routes => [.. routes.Keys];

    public void Dispose() => client.Dispose();

    [Fact]
    public void Every_route_that_takes_json_is_here()
    {
        var taking = RouteTable.Rows.Where(row => row.Body is not null).Select(row => Pattern(row.Target)).Distinct(StringComparer.Ordinal);
        var here = routes.Keys.Select(route => Pattern(route.Split(' ')[1])).ToHashSet(StringComparer.Ordinal);

        Assert.All(taking, target => Assert.Contains(target, here));

        static string Pattern(string target)
        {
            var path = target.Split('?')[0].Replace("named-{new}", "{*}", StringComparison.Ordinal).Replace("put-{new}", "{*}", StringComparison.Ordinal)
                .Replace("report", "t-{id}", StringComparison.Ordinal).Replace("runs%2F{run}%2Fs", "{named}", StringComparison.Ordinal);
            return path;
        }
    }

    [Theory, MemberData(nameof(Routes))]
    public async Task Whatever_is_sent_is_no_fault_of_the_servers_and_what_was_taken_can_be_told(string route)
    {
        var parts = route.Split(' ');
        var fill = await PrepareAsync(isEnding: parts[1].Contains("complete", StringComparison.Ordinal) || parts[1].EndsWith("/close", StringComparison.Ordinal));
        var (good, why) = await SendAsync(parts[0], await fill(parts[1]), await FillAsync(fill, Encoding.UTF8.GetBytes(routes[route])));
        Assert.True(good is 200 or 201 or 204 or 409 or 412, $"The good body: {good} {why}"); // The last two: it is another worker's run, or not the stream's first append.

        var taken = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(Bodies(routes[route]), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Cancelled }, async (body, _) =>
        {
            var (status, text) = await SendAsync(parts[0], await fill(parts[1]), await FillAsync(fill, body));
            Assert.True(status is >= 200 and < 500 and not (401 or 403 or 405 or 429), $"{status} for {Encoding.UTF8.GetString(body[..Math.Min(body.Length, 300)])}: {text}");
            if (status is 200 or 201 && FindRun(text) is { } run) taken.Add(run);
        });

        // Nothing that was taken is a trap for those who look at it, list it or do it.
        foreach (var run in taken.Distinct(StringComparer.Ordinal))
            foreach (var path in (string[])["/api/v1/runs/", "/api/v3/runs/", "/realtime/v1/runs/"]) await ToldAsync("GET", path + Uri.EscapeDataString(run), null);
        await ToldAsync("GET", "/api/v1/runs?limit=200", null);
        for (var claimed = 200; claimed == 200;)
            claimed = await ToldAsync("POST", "/api/v1/runs/claim", $$"""{"tasks":["t-{{id}}"],"worker":"w","leaseInSeconds":600}""");
        foreach (var path in (string[])["streams/s", "inputs/in"]) await ToldAsync("GET", await fill($"/api/v1/runs/{{run}}/{path}"), null, 404);
        await ToldAsync("GET", await fill("/v1/streams/{named}/records?seq_num=0&wait=0"), null, 416);
        await ToldAsync("GET", "/v1/streams", null);
    }

    private static string Nested(int depth) => new string('[', depth) + new string(']', depth);

    /// <summary>The route's own body with each of its values replaced in turn, with a name more, with a name twice; and what is no body.</summary>
    private static IEnumerable<byte[]> Bodies(string good)
    {
        foreach (var body in bodies) yield return body;
        foreach (var value in values) yield return Encoding.UTF8.GetBytes(value);
        var places = new List<string>();
        Walk(JsonNode.Parse(good)!, places);
        const string Mark = "\"@here@\"";
        foreach (var place in places)
        {
            foreach (var value in values)
            {
                var node = JsonNode.Parse(good)!;
                Replace(node, place);
                yield return Encoding.UTF8.GetBytes(node.ToJsonString().Replace(Mark, value, StringComparison.Ordinal));
            }
        }
        if (good[0] == '{')
        {
            foreach (var more in (string[])["\"\\ud800\":1,", "\"\\udc00\":\"\\ud800\",", "\"\":0,", "\"__proto__\":{},", $"\"x\":{Nested(70)},", "\"x\":1e999,"]) yield return Encoding.UTF8.GetBytes(good.Insert(1, more));
            foreach (var (name, value) in JsonNode.Parse(good)!.AsObject())
                yield return Encoding.UTF8.GetBytes(good.Insert(1, $"\"{name}\":{value?.ToJsonString() ?? "null"},"));
            yield return Encoding.UTF8.GetBytes(good.Insert(1, "\"\\ud800\":1,").ToUpperInvariant());
        }
        yield return [0xef, 0xbb, 0xbf, .. Encoding.UTF8.GetBytes(good)];
        for (var length = 1; length < good.Length; length += 13) yield return Encoding.UTF8.GetBytes(good[..length]);

        static void Replace(JsonNode node, string place)
        {
            var steps = place.Split('/');
            foreach (var step in steps[..^1]) node = node is JsonArray ? node[int.Parse(step)]! : node[step]!;
            if (node is JsonArray) node[int.Parse(steps[^1])] = "@here@";
            else node[steps[^1]] = "@here@";
        }

        static void Walk(JsonNode node, List<string> places, string prefix = "")
        {
            var children = node switch
            {
                JsonObject its => its.Select(pair => (pair.Key, pair.Value)),
                JsonArray its => its.Select((value, at) => ($"{at}", value)),
                _ => [],
            };
            foreach (var (name, value) in children.ToList())
            {
                places.Add(prefix + name);
                if (value is not null) Walk(value, places, $"{prefix}{name}/");
            }
        }
    }

    private static string? FindRun(string text)
    {
        try
        {
            using var answer = JsonDocument.Parse(text);
            return answer.RootElement.ValueKind == JsonValueKind.Object && answer.RootElement.TryGetProperty("id", out var run)
                && (answer.RootElement.TryGetProperty("streamsVersion", out _) || answer.RootElement.TryGetProperty("isCached", out _)) ? run.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task<byte[]> FillAsync(Func<string, Task<string>> fill, byte[] body) =>
        body.AsSpan().IndexOf((byte)'{') < 0 || body.Length > 20_000 || !System.Text.Unicode.Utf8.IsValid(body) ? body : Encoding.UTF8.GetBytes(await fill(Encoding.UTF8.GetString(body)));

    /// <summary>Makes what the requests are about: once, or anew for each where a request ends it.</summary>
    private async Task<Func<string, Task<string>>> PrepareAsync(bool isEnding)
    {
        var (run, named, environment) = ($"run-{id}", $"named-{id}", $"env-{id}");
        await ToldAsync("POST", "/api/v1/runs", $$"""{"id":"{{run}}","taskId":"other"}""");
        await ToldAsync("PUT", $"/v1/streams/{named}", "{}");
        var (_, text) = await SendAsync("POST", "/api/v1/admin/environments", Encoding.UTF8.GetBytes($$"""{"id":"{{environment}}"}"""));
        using var admin = JsonDocument.Parse(text);
        var key = admin.RootElement.GetProperty("key").GetProperty("id").GetString()!;
        return async template =>
        {
            var its = run;
            if (isEnding && template.StartsWith('/') && template.Contains("{run}", StringComparison.Ordinal))
            {
                its = $"run-{id}-{Interlocked.Increment(ref made)}";
                await ToldAsync("POST", "/api/v1/runs", $$"""{"id":"{{its}}","taskId":"other"}""");
            }
            return template.Replace("{run}", its, StringComparison.Ordinal).Replace("{named}", named, StringComparison.Ordinal)
                .Replace("{environment}", environment, StringComparison.Ordinal).Replace("{key}", key, StringComparison.Ordinal)
                .Replace("{id}", id, StringComparison.Ordinal).Replace("{new}", $"{id}-{Interlocked.Increment(ref made)}", StringComparison.Ordinal);
        };
    }

    private async Task<int> ToldAsync(string method, string path, string? body, int? also = null)
    {
        var (status, text) = await SendAsync(method, path, body is null ? null : Encoding.UTF8.GetBytes(body));
        Assert.True(status is 200 or 201 or 202 or 204 || status == also, $"{method} {path}: {status} {text}");
        return status;
    }

    private async Task<(int Status, string Text)> SendAsync(string method, string path, byte[]? body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(server.Address.GetLeftPart(UriPartial.Authority) + path));
        var credential = path.StartsWith("/api/v1/admin", StringComparison.Ordinal) ? ServerInProcess.OperatorKey : Key;
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {credential}");
        if (method == "GET") request.Headers.TryAddWithoutValidation("Accept", "application/json");
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseContentRead, Cancelled);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancelled));
    }
}
