using System.Text.Json;
using RealtimeStreams.Dialects.S2.Records;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Streams;

/// <summary>What a stream's configuration can be here. No stream is kept for ever, and none is deleted for being empty.</summary>
/// <param name="StorageClass">What the client called it; nothing depends on it.</param>
/// <param name="Mode">Whose timestamps count.</param>
/// <param name="Uncapped">Whether a client's timestamp may be later than the arrival.</param>
/// <param name="Age">How long records are kept; null: as long as the environment says.</param>
internal sealed record StreamConfig(string StorageClass, TimestampingMode Mode, bool Uncapped, TimeSpan? Age)
{
    public static readonly StreamConfig Default = new("express", TimestampingMode.ClientPrefer, Uncapped: false, Age: null);

    /// <summary>What is kept with the stream.</summary>
    public string Stored() => JsonSerializer.Serialize(new(StorageClass, Word(Mode), Uncapped, (long?)Age?.TotalSeconds), StoredConfigJson.Default.StoredConfig);

    /// <summary>Reads what was kept. What is missing in it, or was written by a later version, has its default.</summary>
    public static StreamConfig Load(string stored)
    {
        try
        {
            var config = JsonSerializer.Deserialize(stored, StoredConfigJson.Default.StoredConfig);
            return new StreamConfig(
                config?.StorageClass ?? Default.StorageClass,
                ModeOf(config?.Mode) ?? Default.Mode,
                config?.Uncapped ?? Default.Uncapped,
                config?.Age is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
        }
        catch (JsonException)
        {
            return Default;
        }
    }

    /// <summary>Writes the configuration with all that holds for the stream.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="longest">How long records are kept at most: the run's or the environment's retention.</param>
    public void Write(Utf8JsonWriter json, TimeSpan longest)
    {
        json.WriteString("storage_class", StorageClass);
        json.WriteStartObject("retention_policy");
        json.WriteNumber("age", (long)(Age < longest ? Age.Value : longest).TotalSeconds);
        json.WriteEndObject();
        json.WriteStartObject("timestamping");
        json.WriteString("mode", Word(Mode));
        json.WriteBoolean("uncapped", Uncapped);
        json.WriteEndObject();
        json.WriteStartObject("delete_on_empty");
        json.WriteNumber("min_age_secs", 0);
        json.WriteEndObject();
    }

    /// <summary>The configuration with the changes that a client asks for. What is absent or null stays as it is here.</summary>
    /// <param name="changes">A configuration in S2's JSON.</param>
    /// <param name="longest">How long records are kept at most.</param>
    /// <param name="changed">The result.</param>
    /// <returns>Null, or what cannot be.</returns>
    public S2Error? TryChange(JsonElement changes, TimeSpan longest, out StreamConfig changed)
    {
        changed = this;
        if (changes.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return null;
        if (changes.ValueKind != JsonValueKind.Object) return S2Error.BadJson("A stream's configuration must be a JSON object.");
        foreach (var property in changes.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Null) continue;
            var error = property.Name switch
            {
                "storage_class" => changed.TryStorageClass(property.Value, out changed),
                "timestamping" => changed.TryTimestamping(property.Value, out changed),
                "retention_policy" => changed.TryRetention(property.Value, longest, out changed),
                "delete_on_empty" => CheckDeleteOnEmpty(property.Value),
                _ => null,
            };
            if (error is not null) return error;
        }
        return null;
    }

    private S2Error? TryStorageClass(JsonElement value, out StreamConfig changed)
    {
        changed = this;
        if (value.ValueKind != JsonValueKind.String || value.GetString() is not ("express" or "standard") || value.GetString() is not { } word)
            return S2Error.Invalid("The field storage_class must be express or standard.");
        changed = this with { StorageClass = word };
        return null;
    }

    private S2Error? TryTimestamping(JsonElement value, out StreamConfig changed)
    {
        changed = this;
        if (value.ValueKind != JsonValueKind.Object) return S2Error.Invalid("The field timestamping must be an object.");
        if (value.TryGetProperty("mode", out var mode) && mode.ValueKind != JsonValueKind.Null)
        {
            if (mode.ValueKind != JsonValueKind.String || ModeOf(mode.GetString()) is not { } known)
                return S2Error.Invalid("The field timestamping.mode must be client-prefer, client-require or arrival.");
            changed = changed with { Mode = known };
        }
        if (value.TryGetProperty("uncapped", out var uncapped) && uncapped.ValueKind != JsonValueKind.Null)
        {
            if (uncapped.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) return S2Error.Invalid("The field timestamping.uncapped must be true or false.");
            changed = changed with { Uncapped = uncapped.GetBoolean() };
        }
        return null;
    }

    private S2Error? TryRetention(JsonElement value, TimeSpan longest, out StreamConfig changed)
    {
        changed = this;
        var (least, most) = ((long)IRetention.Shortest.TotalSeconds, (long)longest.TotalSeconds);
        if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("infinite", out _))
            return S2Error.Invalid($"No stream is kept for ever here: the field retention_policy can be {{\"age\":n}} with {least} to {most} seconds, or absent.");
        if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty("age", out var age) || age.TryGetInt64Safely() is not { } seconds
            || seconds < least || seconds > most)
        {
            return S2Error.Invalid($"The field retention_policy can be {{\"age\":n}} with {least} to {most} seconds, or absent.");
        }
        changed = this with { Age = TimeSpan.FromSeconds(seconds) };
        return null;
    }

    private static S2Error? CheckDeleteOnEmpty(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object && (!value.TryGetProperty("min_age_secs", out var age) || age.TryGetInt64Safely() == 0)
            ? null
            : S2Error.Invalid("Streams are not deleted for being empty: the field delete_on_empty can be {\"min_age_secs\":0}, or absent.");

    private static TimestampingMode? ModeOf(string? word) => word switch
    {
        "client-prefer" => TimestampingMode.ClientPrefer,
        "client-require" => TimestampingMode.ClientRequire,
        "arrival" => TimestampingMode.Arrival,
        _ => null,
    };

    private static string Word(TimestampingMode mode) => mode switch
    {
        TimestampingMode.ClientRequire => "client-require",
        TimestampingMode.Arrival => "arrival",
        _ => "client-prefer",
    };
}
