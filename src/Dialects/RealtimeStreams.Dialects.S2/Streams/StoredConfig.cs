using System.Text.Json;
using System.Text.Json.Serialization;

namespace RealtimeStreams.Dialects.S2.Streams;

/// <summary>A stream's configuration as the registry keeps it.</summary>
internal sealed record StoredConfig(
    [property: JsonPropertyName("storage_class")] string? StorageClass,
    [property: JsonPropertyName("mode")] string? Mode,
    [property: JsonPropertyName("uncapped")] bool? Uncapped,
    [property: JsonPropertyName("age")] long? Age = null);

[JsonSerializable(typeof(StoredConfig))]
internal sealed partial class StoredConfigJson : JsonSerializerContext;

/// <summary>Numbers of which nobody promised that they are any.</summary>
internal static class JsonNumbers
{
    public static long? TryGetInt64Safely(this JsonElement element) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out var number) ? number : null;
}
