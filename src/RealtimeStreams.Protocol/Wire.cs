using System.Text.Json;
using System.Text.Json.Serialization;

namespace RealtimeStreams.Protocol;

/// <summary>Body of <c>POST /api/v1/runs</c>.</summary>
/// <param name="Id">The run's id; made by the server when absent.</param>
/// <param name="TaskId">What is being run, 1 to 256 bytes.</param>
/// <param name="ParentRunId">The run that started this one.</param>
/// <param name="RootRunId">The first run of the chain; the parent's root when absent.</param>
/// <param name="Tags">At most 32 tags of 1 to 128 bytes.</param>
/// <param name="StreamsVersion">v2 unless told otherwise.</param>
/// <param name="Triggered">Whether it waits for a worker to claim it. Needs a task.</param>
/// <param name="Payload">What the task is given: any JSON.</param>
/// <param name="IdempotencyKey">With the task it names at most one run; a repetition finds that one. 1 to 2,048 bytes.</param>
/// <param name="RetentionInSeconds">How long the run's chunks stay readable, each from when it was admitted: 60 to the environment's retention. As the run's version and the environment say when absent.</param>
public sealed record RegisterRun(
    string? Id = null,
    string? TaskId = null,
    string? ParentRunId = null,
    string? RootRunId = null,
    IReadOnlyList<string>? Tags = null,
    StreamsVersion? StreamsVersion = null,
    bool? Triggered = null,
    [property: JsonConverter(typeof(RawJsonConverter))] JsonElement? Payload = null,
    string? IdempotencyKey = null,
    int? RetentionInSeconds = null);

/// <summary>Body of <c>POST /api/v1/runs/claim</c>.</summary>
/// <param name="Tasks">The tasks that the worker can run, 1 to 100.</param>
/// <param name="Worker">Who claims, 1 to 256 bytes; the same in renewals and in the completion.</param>
/// <param name="LeaseInSeconds">How long the claim holds unless it is renewed, 1 to 3,600. 30 when absent.</param>
/// <param name="WaitInSeconds">How long to wait for a run to be triggered, 0 to 30. 0 when absent.</param>
public sealed record ClaimRun(
    IReadOnlyList<string>? Tasks = null, string? Worker = null, int? LeaseInSeconds = null, int? WaitInSeconds = null);

/// <summary>Body of <c>POST /api/v1/runs/{runId}/renew</c>.</summary>
/// <param name="Worker">Who claimed.</param>
/// <param name="Attempt">Which attempt that claim was.</param>
/// <param name="LeaseInSeconds">How long the claim holds from now on, 0 to 3,600; 0 gives the run back. 30 when absent.</param>
/// <param name="StopSeen">Whether the worker knows that the run shall stop: noted in the receipt, as <c>POST …/stop/seen</c> would.</param>
public sealed record RenewClaim(string? Worker = null, int? Attempt = null, int? LeaseInSeconds = null, bool? StopSeen = null);

/// <summary>How far an open run is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RunPhase>))]
public enum RunPhase
{
    /// <summary>It was triggered, and no worker has claimed it yet, or the one that had gave it back.</summary>
    [JsonStringEnumMemberName("queued")] Queued = 0,

    /// <summary>Somebody is at it.</summary>
    [JsonStringEnumMemberName("executing")] Executing = 1,
}

/// <summary>A run, as the server tells it.</summary>
/// <param name="Id">The run's id.</param>
/// <param name="TaskId">What is being run, if said.</param>
/// <param name="ParentRunId">The run that started this one, if any.</param>
/// <param name="RootRunId">The first run of the chain, if this is not it.</param>
/// <param name="Tags">The run's tags.</param>
/// <param name="Status">Where the run stands.</param>
/// <param name="StreamsVersion">Decides the run's limits.</param>
/// <param name="Error">What the run said of its failure.</param>
/// <param name="CreatedAt">When it was registered.</param>
/// <param name="CompletedAt">When it ended.</param>
/// <param name="Streams">The run's streams, where they were asked for.</param>
public sealed record RunInfo(
    string Id,
    string? TaskId,
    string? ParentRunId,
    string? RootRunId,
    IReadOnlyList<string> Tags,
    RunStatus Status,
    StreamsVersion StreamsVersion,
    string? Error,
    DateTimeOffset CreatedAt,
    DateTimeOffset? CompletedAt,
    IReadOnlyList<StreamInfo>? Streams = null)
{
    /// <summary>How far it is; absent once it has ended.</summary>
    public RunPhase? Phase { get; init; }

    /// <summary>How long the run's chunks stay readable, as it is in force now; told when a run is registered or inspected.</summary>
    public long? RetentionInSeconds { get; init; }

    /// <summary>The bytes of all its streams together, those that expired included; told with the streams. A run may have a limit of them.</summary>
    public long? Bytes { get; init; }

    /// <summary>How often a triggered run was claimed; absent for a run that was not triggered.</summary>
    public int? Attempt { get; init; }

    /// <summary>The worker that claimed it last.</summary>
    public string? Worker { get; init; }

    /// <summary>Until when that claim holds, unless it is renewed.</summary>
    public DateTimeOffset? LeaseUntil { get; init; }

    /// <summary>When it was first claimed; for a run that was not triggered, when it was registered.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>That somebody has asked it to stop; absent while nobody has.</summary>
    public StopNotice? StopRequested { get; init; }

    /// <summary>What the task was given, where it is told: not in lists of runs. A payload that is no JSON is told as a text.</summary>
    [JsonConverter(typeof(RawJsonConverter))]
    public JsonElement? Payload { get; init; }

    /// <summary>The payload's media type, unless it is <c>application/json</c>.</summary>
    public string? PayloadType { get; init; }

    /// <summary>What the run gave when it ended, told like <see cref="Payload"/>.</summary>
    [JsonConverter(typeof(RawJsonConverter))]
    public JsonElement? Output { get; init; }

    /// <summary>The output's media type, unless it is <c>application/json</c>.</summary>
    public string? OutputType { get; init; }
}

/// <summary>A page of runs, newest first.</summary>
/// <param name="Runs">The runs.</param>
/// <param name="NextCursor">Given back as <c>cursor</c> it gives the next page; absent on the last.</param>
public sealed record RunPage(IReadOnlyList<RunInfo> Runs, string? NextCursor);

/// <summary>A stream, as the server tells it.</summary>
/// <param name="Key">The stream's key.</param>
/// <param name="FirstIndex">The first index that can still be read.</param>
/// <param name="NextIndex">The index that the next chunk will get.</param>
/// <param name="Bytes">The bytes of all chunks ever appended.</param>
/// <param name="State"><c>open</c> or <c>closed</c>.</param>
/// <param name="Outcome">How it ended, when it has.</param>
/// <param name="Producers">The 64 producers that wrote last.</param>
/// <param name="Durability">The durability class that its acknowledgements have.</param>
/// <param name="CreatedAt">When its first chunk was admitted.</param>
/// <param name="LastAppendAt">When its last chunk was admitted.</param>
public sealed record StreamInfo(
    string Key,
    long FirstIndex,
    long NextIndex,
    long Bytes,
    string State,
    Outcome? Outcome,
    IReadOnlyList<ProducerInfo> Producers,
    string Durability,
    DateTimeOffset? CreatedAt,
    DateTimeOffset? LastAppendAt)
{
    /// <summary>For an input stream, which holds what was sent to the run: the name that senders give it. Absent for what the run writes.</summary>
    public string? Input { get; init; }
}

/// <summary>A producer of a stream.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Epoch">Its newest epoch.</param>
/// <param name="LastSequence">The number of its last stored chunk.</param>
/// <param name="LastIndex">The index of its last stored chunk.</param>
public sealed record ProducerInfo(string Id, long Epoch, long LastSequence, long LastIndex);

/// <summary>Answer of <c>GET /api/v1/runs/{runId}/streams</c>.</summary>
/// <param name="Streams">The streams, by key.</param>
public sealed record StreamList(IReadOnlyList<StreamInfo> Streams);

/// <summary>Body of <c>POST /api/v1/runs/{runId}/complete</c>.</summary>
/// <param name="Outcome">completed, failed or cancelled.</param>
/// <param name="Error">What went wrong, at most 8,192 characters.</param>
/// <param name="Output">What the run gave: any JSON.</param>
/// <param name="Worker">Who claimed the run. With it and the attempt only the claim's holder completes.</param>
/// <param name="Attempt">Which attempt that claim was.</param>
public sealed record CompleteRun(
    Outcome? Outcome = null,
    string? Error = null,
    [property: JsonConverter(typeof(RawJsonConverter))] JsonElement? Output = null,
    string? Worker = null,
    int? Attempt = null);

/// <summary>Body of <c>POST …/{key}/close</c>.</summary>
/// <param name="Outcome">completed, failed or cancelled; completed when absent.</param>
/// <param name="FinalChunk">A last chunk, stored in the same atomic step.</param>
public sealed record CloseStream(Outcome? Outcome = null, [property: JsonConverter(typeof(RawJsonConverter))] JsonElement? FinalChunk = null);

/// <summary>What an append came to.</summary>
/// <param name="FirstIndex">The index of the first chunk that this request added; when it added none, of its first chunk, or absent where that place is not known any more.</param>
/// <param name="NextIndex">The index after the last chunk of the request.</param>
/// <param name="Stored">How many chunks this request added.</param>
/// <param name="Duplicates">How many chunks of the request had been stored before.</param>
/// <param name="NextSequence">The number that the producer's next chunk must have; absent without a producer.</param>
public sealed record AppendReceipt(long? FirstIndex, long NextIndex, long Stored, long Duplicates, long? NextSequence);

/// <summary>What a close came to.</summary>
/// <param name="NextIndex">The number of chunks of the stream, for ever.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="AlreadyClosed">Whether it had ended before with the same outcome.</param>
public sealed record CloseReceipt(long NextIndex, Outcome Outcome, bool AlreadyClosed);

/// <summary>Data of <see cref="NativeEvents.CaughtUp"/>, <see cref="NativeEvents.Timeout"/> and <see cref="NativeEvents.Reconnect"/>.</summary>
/// <param name="NextIndex">The cursor: the index that comes next.</param>
public sealed record CaughtUpEvent(long NextIndex);

/// <summary>Data of <see cref="NativeEvents.TokenExpired"/>.</summary>
/// <param name="NextIndex">The cursor: the index that comes next.</param>
/// <param name="Reason"><c>expired</c> or <c>revoked</c>.</param>
public sealed record TokenExpiredEvent(long NextIndex, string Reason);

/// <summary>Body of <c>POST /api/v1/tokens</c>.</summary>
/// <param name="Scopes">What the token is to allow, 1 to 100 scopes such as <c>read:runs:run_1</c>.</param>
/// <param name="ExpiresInSeconds">How long it is to be valid, 1 to 2,592,000 (30 days). 900 when absent.</param>
public sealed record IssueToken(IReadOnlyList<string?>? Scopes = null, int? ExpiresInSeconds = null);

/// <summary>A public access token that was issued.</summary>
/// <param name="Token">The token.</param>
/// <param name="Id">Names it, to revoke it: <c>DELETE /api/v1/tokens/{id}</c>.</param>
/// <param name="ExpiresAt">From when on it is none.</param>
public sealed record TokenInfo(string Token, string Id, DateTimeOffset ExpiresAt)
{
    /// <summary>Without the token.</summary>
    public override string ToString() => $"{Id}, until {ExpiresAt:O}";
}

/// <summary>Answer of <c>POST /api/v1/tokens/revoke-all</c>.</summary>
/// <param name="IssuedUntil">Tokens whose <c>iat</c> is this second or an earlier one are revoked, and those without.</param>
public sealed record RevokedTokens(DateTimeOffset IssuedUntil);

/// <summary>Data of <see cref="NativeEvents.End"/>.</summary>
/// <param name="Outcome">How the stream ended.</param>
/// <param name="NextIndex">The number of chunks of the stream, for ever.</param>
public sealed record EndEvent(Outcome Outcome, long NextIndex);

/// <summary>Data of <see cref="NativeEvents.Trimmed"/>.</summary>
/// <param name="RequestedIndex">What the reader asked for.</param>
/// <param name="FirstIndex">The first index that can still be read, which comes next.</param>
public sealed record TrimmedEvent(long RequestedIndex, long FirstIndex);

/// <summary>Problem details (RFC 9457) with this product's members.</summary>
public sealed record Problem
{
    /// <summary>A URN that names the <see cref="Code"/>.</summary>
    public string? Type { get; init; }

    /// <summary>The same short text at every occurrence.</summary>
    public string? Title { get; init; }

    /// <summary>The HTTP status.</summary>
    public int Status { get; init; }

    /// <summary>What people should know of this occurrence.</summary>
    public string? Detail { get; init; }

    /// <summary>The row of <see cref="ErrorCode"/>.</summary>
    public string? Code { get; init; }

    /// <summary>Whether the same request can succeed later.</summary>
    public bool Retryable { get; init; }

    /// <summary>The parameter, header or field at fault.</summary>
    public string? Field { get; init; }

    /// <summary>For an append that broke off: what of the request is stored, so that the rest can follow.</summary>
    public AppendReceipt? Receipt { get; init; }

    /// <summary>For a sequence gap: the number that the producer's next chunk must have.</summary>
    public long? ExpectedSequence { get; init; }

    /// <summary>For <see cref="ErrorCode.RateLimited"/>: the limit that was reached.</summary>
    public LimitInfo? Limit { get; init; }
}

/// <summary>A limit that was reached.</summary>
/// <param name="Name">Its name (docs/limits.md).</param>
/// <param name="Value">Its value.</param>
/// <param name="Of">Whose it is: <c>environment</c>, <c>token</c> or <c>address</c>.</param>
public sealed record LimitInfo(string Name, long Value, string Of);

/// <summary>Source-generated JSON contracts of the native dialect: camel case, absent in place of null.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RegisterRun))]
[JsonSerializable(typeof(ClaimRun))]
[JsonSerializable(typeof(RenewClaim))]
[JsonSerializable(typeof(RunInfo))]
[JsonSerializable(typeof(RunPage))]
[JsonSerializable(typeof(StreamInfo))]
[JsonSerializable(typeof(StreamList))]
[JsonSerializable(typeof(CompleteRun))]
[JsonSerializable(typeof(StopRun))]
[JsonSerializable(typeof(SeeStop))]
[JsonSerializable(typeof(StopReceipt))]
[JsonSerializable(typeof(ErasureReceipt))]
[JsonSerializable(typeof(StopNotice))]
[JsonSerializable(typeof(CloseStream))]
[JsonSerializable(typeof(AppendReceipt))]
[JsonSerializable(typeof(CloseReceipt))]
[JsonSerializable(typeof(IssueToken))]
[JsonSerializable(typeof(TokenInfo))]
[JsonSerializable(typeof(RevokedTokens))]
[JsonSerializable(typeof(CaughtUpEvent))]
[JsonSerializable(typeof(TokenExpiredEvent))]
[JsonSerializable(typeof(EndEvent))]
[JsonSerializable(typeof(TrimmedEvent))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(CreateEnvironment))]
[JsonSerializable(typeof(EnvironmentList))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
[JsonSerializable(typeof(SecretKeyList))]
[JsonSerializable(typeof(RotateSecretKey))]
[JsonSerializable(typeof(MadeSecretKey))]
public sealed partial class NativeJson : JsonSerializerContext;
