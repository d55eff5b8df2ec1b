using System.Runtime.InteropServices;
using System.Text.Json;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Trigger.Runs;

/// <summary>What a run was given, or what it gave: text of a media type.</summary>
internal static class Packet
{
    public const string Json = "application/json";

    public const string PlainText = "text/plain";

    private const string SuperJson = "application/super+json";

    /// <summary>Takes a text out of the client's own format where that adds nothing to it, so that workers of every language are given the plain value.</summary>
    /// <remarks>With notes about types that JSON does not have it stays as it is: a client that is told of the run makes dates and the like of them.</remarks>
    public static (string Text, string Type) Unwrap(string text, string type)
    {
        if (type != SuperJson) return (text, type);
        try
        {
            using var document = JsonDocument.Parse(text);
            var packet = document.RootElement;
            if (packet.ValueKind != JsonValueKind.Object || !JsonStrings.TryGetProperty(packet, "json"u8, out var value)) return (text, type);
            var hasNotes = JsonStrings.TryGetProperty(packet, "meta"u8, out var notes) && (notes.ValueKind != JsonValueKind.Object || notes.EnumerateObject().Any());
            return hasNotes ? (text, type) : (value.GetRawText(), Json);
        }
        catch (JsonException)
        {
            return (text, type); // Not what it says it is: as it was given, then.
        }
    }

    /// <summary>Writes a packet as the JSON value that it holds; what is no JSON, as a string.</summary>
    public static void Write(Utf8JsonWriter json, string name, string? text, string? type)
    {
        if (text is null) return;
        if (type is null or Json or SuperJson)
        {
            try
            {
                using var document = JsonDocument.Parse(text);
                var value = document.RootElement;
                // The client's own format has the value beside notes about the types that JSON does not have.
                if (type == SuperJson && value.ValueKind == JsonValueKind.Object && JsonStrings.TryGetProperty(value, "json"u8, out var inner)) value = inner;
                json.WritePropertyName(name);
                json.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true); // As it stands: its strings need not be text.
                return;
            }
            catch (JsonException)
            {
                // Not what it says it is: as it was given, then.
            }
        }
        json.WriteString(name, text);
    }
}
