using System.Text.Json;
using System.Text.Json.Serialization;

namespace RealtimeStreams.RunRegistry.Settings;

/// <summary>An environment's settings as they are stored: one flat object of numbers. Names that this version does not know, a later one's, are kept.</summary>
[JsonSerializable(typeof(SortedDictionary<string, long>))]
internal sealed partial class SettingsJson : JsonSerializerContext
{
    public static SortedDictionary<string, long> Parse(string? stored) => stored is null
        ? Empty()
        : JsonSerializer.Deserialize(stored, Default.SortedDictionaryStringInt64) ?? Empty();

    /// <summary>Null when nothing is set.</summary>
    public static string? Write(SortedDictionary<string, long> values) =>
        values.Count == 0 ? null : JsonSerializer.Serialize(values, Default.SortedDictionaryStringInt64);

    private static SortedDictionary<string, long> Empty() => new(StringComparer.Ordinal);
}
