using System.Text.Json.Serialization;

namespace RealtimeStreams.Protocol;

/// <summary>Where a run stands.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RunStatus>))]
public enum RunStatus
{
    /// <summary>The run goes on; its streams can be written.</summary>
    [JsonStringEnumMemberName("open")] Open = 0,

    /// <summary>The run ended well.</summary>
    [JsonStringEnumMemberName("completed")] Completed = 1,

    /// <summary>The run ended with an error.</summary>
    [JsonStringEnumMemberName("failed")] Failed = 2,

    /// <summary>The run was stopped.</summary>
    [JsonStringEnumMemberName("cancelled")] Cancelled = 3,
}
