using System.Text.Json.Serialization;

namespace RealtimeStreams.Sdk.Tests;

public sealed record Progress(string Step, int Percent);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Progress))]
internal sealed partial class TestJson : JsonSerializerContext;
