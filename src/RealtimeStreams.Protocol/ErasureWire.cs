using System.Text.Json.Serialization;

namespace RealtimeStreams.Protocol;

/// <summary>How far an erasure is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ErasureState>))]
public enum ErasureState
{
    /// <summary>Nobody finds it any more, and it is being removed.</summary>
    [JsonStringEnumMemberName("erasing")] Erasing = 0,

    /// <summary>Its chunks are gone from the log, its rows from the database, and what servers held of it from their memory.</summary>
    [JsonStringEnumMemberName("erased")] Erased = 1,
}

/// <summary>The receipt of an erasure. Kept for 30 days after it.</summary>
/// <param name="Id">Its id, for <c>GET /api/v1/erasures/{id}</c>.</param>
/// <param name="Run">The run; absent for a stream outside of runs.</param>
/// <param name="Stream">The name of a stream outside of runs.</param>
/// <param name="State">How far it is.</param>
/// <param name="RequestedAt">When it was asked for.</param>
/// <param name="RequestedBy">Who asked: which key, by its id.</param>
/// <param name="ErasedAt">When it was done.</param>
public sealed record ErasureReceipt(
    string Id, string? Run, string? Stream, ErasureState State, DateTimeOffset RequestedAt, string RequestedBy, DateTimeOffset? ErasedAt = null);
