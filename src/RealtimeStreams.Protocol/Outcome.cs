using System.Text.Json.Serialization;

namespace RealtimeStreams.Protocol;

/// <summary>How a stream or a run ended.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Outcome>))]
public enum Outcome
{
    /// <summary>All was written.</summary>
    [JsonStringEnumMemberName("completed")] Completed = 1,

    /// <summary>The writer gave up because of an error.</summary>
    [JsonStringEnumMemberName("failed")] Failed = 2,

    /// <summary>Somebody asked the writer to stop.</summary>
    [JsonStringEnumMemberName("cancelled")] Cancelled = 3,

    /// <summary>The writer was gone for longer than its lease. Only the server says this.</summary>
    [JsonStringEnumMemberName("abandoned")] Abandoned = 4,
}

/// <summary>The words for an <see cref="Outcome"/> on the wire.</summary>
public static class Outcomes
{
    /// <summary>The outcome's word.</summary>
    public static string ToWord(this Outcome outcome) => outcome switch
    {
        Outcome.Completed => "completed",
        Outcome.Failed => "failed",
        Outcome.Cancelled => "cancelled",
        Outcome.Abandoned => "abandoned",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "There is no such outcome."),
    };

    /// <summary>Reads a word; false when it names no outcome.</summary>
    public static bool TryParse(string? word, out Outcome outcome)
    {
        outcome = word switch
        {
            "completed" => Outcome.Completed,
            "failed" => Outcome.Failed,
            "cancelled" => Outcome.Cancelled,
            "abandoned" => Outcome.Abandoned,
            _ => default,
        };
        return outcome != default;
    }
}
