using System.Text.Json;
using System.Text.Json.Serialization;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Trigger.Runs;

/// <summary>What a task is triggered with. Fields that only a scheduler of the hosted product needs (queue, machine, priority and so on) are passed over.</summary>
internal sealed record TriggerBody
{
    [JsonPropertyName("payload")]
    public JsonElement? Payload { get; init; }

    [JsonPropertyName("options")]
    public TriggerOptions? Options { get; init; }
}

/// <summary>How a task is triggered.</summary>
internal sealed record TriggerOptions
{
    [JsonPropertyName("payloadType")]
    public string? PayloadType { get; init; }

    [JsonPropertyName("tags")]
    public JsonElement? Tags { get; init; }

    [JsonPropertyName("idempotencyKey")]
    public string? IdempotencyKey { get; init; }

    [JsonPropertyName("parentRunId")]
    public string? ParentRunId { get; init; }

    [JsonPropertyName("metadata")]
    public JsonElement? Metadata { get; init; }

    [JsonPropertyName("resumeParentOnCompletion")]
    public bool? ResumeParentOnCompletion { get; init; }

    [JsonPropertyName("delay")]
    public JsonElement? Delay { get; init; }

    [JsonPropertyName("debounce")]
    public JsonElement? Debounce { get; init; }

    /// <summary>What is asked for that would be wrong to pass over; null: nothing.</summary>
    public string? FindUnsupported()
    {
        if (ResumeParentOnCompletion == true) return "waiting for a run's end in its parent (triggerAndWait)";
        if (Delay is { ValueKind: not JsonValueKind.Null }) return "a delay";
        return Debounce is { ValueKind: not JsonValueKind.Null } ? "debouncing" : null;
    }

    /// <summary>The tags: one text, or a list of them. False also for strings that are no text.</summary>
    public bool TryReadTags(out IReadOnlyList<string> tags)
    {
        tags = [];
        if (Tags is not { ValueKind: not JsonValueKind.Null } given) return true;
        if (!JsonStrings.AreText(given)) return false;
        if (given.ValueKind == JsonValueKind.String)
        {
            tags = [given.GetString()!];
            return true;
        }
        if (given.ValueKind != JsonValueKind.Array || given.EnumerateArray().Any(tag => tag.ValueKind != JsonValueKind.String)) return false;
        tags = [.. given.EnumerateArray().Select(tag => tag.GetString()!)];
        return true;
    }

    /// <summary>The run that triggers, if one does.</summary>
    public bool TryReadParent(out RunId? parent)
    {
        parent = null;
        if (string.IsNullOrEmpty(ParentRunId)) return true;
        if (!RunId.TryParse(ParentRunId, null, out var run)) return false;
        parent = run;
        return true;
    }
}

[JsonSerializable(typeof(TriggerBody))]
internal sealed partial class TriggerJson : JsonSerializerContext;
