using System.Text.Json;
using RealtimeStreams.EndToEnd.Tests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Clients.Tests.S2;

/// <summary>What the tests of the S2 client share: its versions, the basin, and names of streams.</summary>
public abstract class S2ScenarioTests(SharedServer shared, NodePackages node, string script) : ScenarioTests(shared, node, script)
{
    /// <summary>The version that Trigger.dev's packages depend on, and the latest.</summary>
    protected static readonly string[] Versions = ["0.25", "0.27"];

    public static TheoryData<string> EachVersion => [.. Versions];

    public static TheoryData<string, string> EachVersionAndTransport
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var version in Versions)
            {
                data.Add(version, "s2s");
                data.Add(version, "fetch");
            }
            return data;
        }
    }

    /// <summary>The basin is the environment.</summary>
    protected static string Basin { get; } = S2Names.BasinOf(EnvironmentId.Parse("default"));

    /// <summary>A stream outside of runs.</summary>
    protected static string NewName() => $"tests/{Guid.NewGuid():N}";

    /// <summary>The stream of a run.</summary>
    protected static string NameOf(string run, string key) => S2Names.StreamOf(RunId.Parse(run, null), StreamKey.Parse(key, null));

    /// <summary>The value of a call that must not have failed.</summary>
    protected static JsonElement Value(JsonElement outcome) =>
        outcome.TryGetProperty("value", out var value) ? value : throw new InvalidOperationException($"It failed: {outcome}");

    protected static void AssertError(JsonElement outcome, int status, string? code = null, string? kind = null)
    {
        Assert.False(outcome.TryGetProperty("value", out _), $"It did not fail: {outcome}");
        Assert.True(outcome.GetProperty("status").GetInt32() == status, outcome.GetRawText());
        if (code is not null) Assert.Equal(code, outcome.GetProperty("code").GetString());
        if (kind is not null) Assert.Equal(kind, outcome.GetProperty("kind").GetString());
    }

    protected static long[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(number => number.GetInt64())];

    protected static string[] Strings(JsonElement array) => [.. array.EnumerateArray().Select(text => text.GetString()!)];

    protected static (long Start, long End, long Tail) Range(JsonElement ack) =>
        (ack.GetProperty("start")[0].GetInt64(), ack.GetProperty("end")[0].GetInt64(), ack.GetProperty("tail")[0].GetInt64());
}
