using System.Text.Json.Serialization;

namespace RealtimeStreams.Protocol;

/// <summary>Body of <c>POST /api/v1/runs/{runId}/stop</c>.</summary>
/// <param name="Reason">Why, at most 1,024 characters; every reader of the run is told.</param>
public sealed record StopRun(string? Reason = null);

/// <summary>Body of <c>POST /api/v1/runs/{runId}/stop/seen</c>.</summary>
/// <param name="Worker">Who has seen that the run shall stop, 1 to 256 bytes; for a triggered run whoever claimed it.</param>
/// <param name="Attempt">For a triggered run: which attempt that claim was.</param>
public sealed record SeeStop(string? Worker = null, int? Attempt = null);

/// <summary>How far a request to stop has come.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StopState>))]
public enum StopState
{
    /// <summary>It is stored, and told to the run's worker and readers.</summary>
    [JsonStringEnumMemberName("requested")] Requested = 0,

    /// <summary>The run's worker has said that it knows.</summary>
    [JsonStringEnumMemberName("seen")] Seen = 1,

    /// <summary>The run has ended, and its streams have.</summary>
    [JsonStringEnumMemberName("stopped")] Stopped = 2,
}

/// <summary>The receipt of a request that a run stop. What it says once is never taken back.</summary>
/// <param name="Run">The run.</param>
/// <param name="State">How far it has come.</param>
/// <param name="RequestedAt">When it was first asked; absent for a run that had ended before anybody asked.</param>
/// <param name="Reason">Why, if said.</param>
/// <param name="By">With what kind of credential: <c>secret-key</c>, <c>token</c>, or <c>token:</c> and the token's id.</param>
/// <param name="SeenAt">When a worker of the run said that it knows.</param>
/// <param name="SeenBy">The worker that said so first.</param>
/// <param name="StoppedAt">When the run ended.</param>
/// <param name="Outcome">How it ended; it may have completed before its worker knew.</param>
/// <param name="Streams">Where its streams ended, by key: for ever, as nothing more is taken. Once it has stopped.</param>
public sealed record StopReceipt(
    string Run,
    StopState State,
    DateTimeOffset? RequestedAt = null,
    string? Reason = null,
    string? By = null,
    DateTimeOffset? SeenAt = null,
    string? SeenBy = null,
    DateTimeOffset? StoppedAt = null,
    Outcome? Outcome = null,
    IReadOnlyList<StoppedStream>? Streams = null);

/// <summary>Where a stream of a stopped run ended.</summary>
/// <param name="Key">The stream's key.</param>
/// <param name="NextIndex">The number of its chunks, for ever.</param>
public sealed record StoppedStream(string Key, long NextIndex);

/// <summary>That somebody has asked a run to stop, as every reader of it is told.</summary>
/// <param name="At">When.</param>
/// <param name="Reason">Why, if said.</param>
public sealed record StopNotice(DateTimeOffset At, string? Reason = null);
