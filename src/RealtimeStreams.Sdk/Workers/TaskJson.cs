using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Json;

namespace RealtimeStreams.Sdk.Workers;

/// <summary>Payloads and outputs as JSON.</summary>
internal static class TaskJson
{
    private static readonly JsonElement Nothing = JsonElement.Parse("null");

    /// <exception cref="JsonException">The payload is none of this type; the message says where, and nothing of its content.</exception>
    public static T ReadPayload<T>(RunInfo claimed, JsonTypeInfo<T> contract)
    {
        try
        {
            return FindPayload(claimed).Deserialize(contract)!;
        }
        catch (JsonException fault)
        {
            var place = fault.Path is null or "$" ? "" : $" at {fault.Path}";
            throw new JsonException($"The payload cannot be read as {typeof(T).Name}{place}.", fault);
        }
    }

    /// <summary>The value as JSON; null for null.</summary>
    public static JsonElement? Write<T>(T value, JsonTypeInfo<T> contract) => value is null ? null : ChunkJson.ToElement(value, contract);

    /// <summary>Trigger.dev's SDK wraps payloads that have more than JSON in them, such as dates: the JSON, and what of it is more.</summary>
    private static JsonElement FindPayload(RunInfo claimed) => claimed.Payload switch
    {
        null => Nothing,
        { ValueKind: JsonValueKind.Object } wrapped
            when claimed.PayloadType == "application/super+json" && JsonStrings.TryGetProperty(wrapped, "json"u8, out var json) => json,
        { } payload => payload,
    };
}
