using System.Text.Json;
using System.Text.Json.Nodes;
using RealtimeStreams.EndToEnd.Tests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;

namespace RealtimeStreams.Clients.Tests;

/// <summary>One log, many dialects: what is written through each is read through every other, at the same indexes.</summary>
public sealed class MixedTests(SharedServer shared, NodePackages node) : ScenarioTests(shared, node, "mixed.mjs")
{
    private const string Key = "mixed";
    private static readonly byte[] notText = [0xFF, 0xFE, 0x00];

    [Theory]
    [InlineData(StreamsVersion.V1, "0.25")]
    [InlineData(StreamsVersion.V2, "0.25")]
    [InlineData(StreamsVersion.V2, "0.27")]
    public async Task What_each_writes_all_the_others_read_at_the_same_indexes(StreamsVersion runs, string version)
    {
        var run = await RegisterAsync(runs);
        var name = S2Names.StreamOf(RunId.Parse(run), StreamKey.Parse(Key));
        var basin = S2Names.BasinOf(EnvironmentId.Parse("default"));
        using var client = new RealtimeStreamsClient(new RealtimeStreamsClientOptions { BaseAddress = Server.Address, SecretKey = Server.SecretKey });

        // Twice, so that each also writes behind each other.
        List<string> expected = [];
        for (var round = 0; round < 2; round++)
        {
            await Api.AppendAsync(run, Key, $$"""{"by":"native","round":{{round}}}""");
            await Api.AppendAsync(run, Key, "native text", "text/plain");
            expected.AddRange([$$"""{"by":"native","round":{{round}}}""", "\"native text\""]);

            await client.Streams.AppendAsync(Key, $"C# {round}", new AppendOptions { Target = run }, Cancelled);
            expected.Add($"\"C# {round}\"");

            object[] values = [new { by = "trigger", round }, "a text", 17, new[] { "ä" }];
            await RunAsync("writeTrigger", new { run, key = Key, values, text = """{"a":"text"}""" });
            expected.AddRange([$$"""{"by":"trigger","round":{{round}}}""", "\"a text\"", "17", "[\"ä\"]", "\"{\\\"a\\\":\\\"text\\\"}\""]);

            string[] bodies = [$$"""{"by":"s2","round":{{round}}}""", "plain text", "18"];
            await RunAsync("writeS2", new { version, basin, name, bodies, unary = "{\n\"spaced\": true }", base64 = Convert.ToBase64String(notText) });
            expected.AddRange([bodies[0], "\"plain text\"", "18", "{ \"spaced\": true }", "\"//4A\""]);
        }

        // The native API and the C# SDK.
        Same(expected, await StoredAsync(run, Key));
        Same(expected[5..], (await Api.PageAsync(run, Key, "?startIndex=5")).Data);
        List<string> read = [];
        await foreach (var (index, chunk) in client.Streams.ReadAsync<JsonElement>(run, Key, new ReadOptions { Timeout = TimeSpan.FromSeconds(1) }, Cancelled).Items)
        {
            Assert.Equal(read.Count, index);
            read.Add(chunk.GetRawText());
        }
        Same(expected, read);

        // Trigger's SDK, from the beginning and from in between.
        Same(expected, Texts(await RunAsync("readTrigger", new { run, key = Key, startIndex = 0 })));
        Same(expected[7..], Texts(await RunAsync("readTrigger", new { run, key = Key, startIndex = 7 })));

        // S2: what came from Trigger's v2 writer is its envelope again, what others wrote is as they wrote it.
        foreach (var startIndex in new[] { 0, 9 })
        {
            var s2 = await RunAsync("readS2", new { version, basin, name, startIndex });
            foreach (var way in new[] { "unary", "session" })
            {
                var records = s2.GetProperty(way).EnumerateArray().ToList();
                Assert.Equal(Enumerable.Range(startIndex, expected.Count - startIndex), records.Select(record => record[0].GetInt32()));
                Same(expected[startIndex..], records.Select(record => OfBody(record[1].GetString()!)));
            }
        }
    }

    /// <summary>The chunk as JSON that a record's body carries.</summary>
    private static string OfBody(string body)
    {
        try
        {
            var json = JsonNode.Parse(body);
            return json is JsonObject envelope && envelope.ContainsKey("data") && envelope.ContainsKey("id") ? envelope["data"]!.ToJsonString() : body;
        }
        catch (JsonException)
        {
            // As a string the client shows what is not UTF-8 by replacement characters.
            return body.Contains('\uFFFD', StringComparison.Ordinal) ? "\"//4A\"" : JsonSerializer.Serialize(body);
        }
    }

    private static void Same(IEnumerable<string> expected, IEnumerable<string> actual) =>
        Assert.Equal(expected.Select(Normal), actual.Select(Normal));

    private static string Normal(string json) => JsonNode.Parse(json)?.ToJsonString() ?? "null";
}
