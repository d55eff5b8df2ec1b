using System.Text.Json.Serialization;

namespace RealtimeStreams.Protocol;

/// <summary>The streams version of a run, which decides its limits. The reference product's names.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StreamsVersion>))]
public enum StreamsVersion
{
    /// <summary>The old limits: short streams, few of them, one day.</summary>
    [JsonStringEnumMemberName("v1")] V1 = 1,

    /// <summary>Unlimited chunks and streams, 300 MiB a stream, 28 days.</summary>
    [JsonStringEnumMemberName("v2")] V2 = 2,
}
