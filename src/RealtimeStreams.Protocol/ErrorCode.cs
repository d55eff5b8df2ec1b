namespace RealtimeStreams.Protocol;

/// <summary>An error that a client can meet, with the answers to what a client asks about it.</summary>
/// <param name="Code">The word in the problem's <c>code</c>.</param>
/// <param name="Status">The HTTP status that goes with it.</param>
/// <param name="Retryable">Whether the same request can succeed later.</param>
/// <param name="MayHaveWritten">Whether something may have been stored all the same.</param>
/// <param name="Title">A short text for people, the same at every occurrence.</param>
public sealed record ErrorCode(string Code, int Status, bool Retryable, bool MayHaveWritten, string Title)
{
    /// <summary>A header, a query parameter or a field is missing or wrong; the detail names it.</summary>
    public static readonly ErrorCode InvalidRequest = Final("invalid_request", 400, "The request is not valid");

    /// <summary>The body, or one line of it, is not JSON.</summary>
    public static readonly ErrorCode InvalidJson = Final("invalid_json", 400, "The body is not valid JSON");

    /// <summary>The run id cannot be one.</summary>
    public static readonly ErrorCode InvalidRunId = Final("invalid_run_id", 400, "The run id is not valid");

    /// <summary>The stream key cannot be one.</summary>
    public static readonly ErrorCode InvalidStreamKey = Final("invalid_stream_key", 400, "The stream key is not valid");

    /// <summary>The start index is no number, or out of range.</summary>
    public static readonly ErrorCode InvalidStartIndex = Final("invalid_start_index", 400, "The start index is not valid");

    /// <summary>No credential, or one that this server does not know.</summary>
    public static readonly ErrorCode Unauthorized = Final("unauthorized", 401, "A valid credential is required");

    /// <summary>The credential is valid, but does not allow this.</summary>
    public static readonly ErrorCode Forbidden = Final("forbidden", 403, "The credential does not allow this");

    /// <summary>There is no such erasure for this caller, or its receipt is not kept any more.</summary>
    public static readonly ErrorCode ErasureNotFound = Final("erasure_not_found", 404, "There is no such erasure");

    /// <summary>There is no such run for this caller.</summary>
    public static readonly ErrorCode RunNotFound = Final("run_not_found", 404, "There is no such run");

    /// <summary>The run has no such stream, and will have none.</summary>
    public static readonly ErrorCode StreamNotFound = Final("stream_not_found", 404, "There is no such stream");

    /// <summary>There is no such environment. Only operators are told.</summary>
    public static readonly ErrorCode EnvironmentNotFound = Final("environment_not_found", 404, "There is no such environment");

    /// <summary>The environment has no such secret key, or none that is still valid.</summary>
    public static readonly ErrorCode KeyNotFound = Final("key_not_found", 404, "There is no such secret key");

    /// <summary>There is nothing at this address.</summary>
    public static readonly ErrorCode NotFound = Final("not_found", 404, "There is nothing here");

    /// <summary>The address exists, but not with this method.</summary>
    public static readonly ErrorCode MethodNotAllowed = Final("method_not_allowed", 405, "The method is not allowed here");

    /// <summary>None of the media types that the client accepts can be given.</summary>
    public static readonly ErrorCode NotAcceptable = Final("not_acceptable", 406, "No acceptable media type");

    /// <summary>The body came too slowly. Nothing of it is stored, unless it was open-ended.</summary>
    public static readonly ErrorCode RequestTimeout = new("request_timeout", 408, Retryable: true, MayHaveWritten: false, "The body came too slowly");

    /// <summary>A run with this id exists and differs from what was sent.</summary>
    public static readonly ErrorCode RunConflict = Final("run_conflict", 409, "The run exists with other content");

    /// <summary>There is an environment with this id already.</summary>
    public static readonly ErrorCode EnvironmentExists = Final("environment_exists", 409, "The environment exists");

    /// <summary>The secret key is the one that the server's configuration names; it is changed there.</summary>
    public static readonly ErrorCode KeyIsConfigured = Final("key_is_configured", 409, "The secret key is configured");

    /// <summary>The run has ended; its streams take nothing more.</summary>
    public static readonly ErrorCode RunCompleted = Final("run_completed", 409, "The run has ended");

    /// <summary>The run was claimed by another worker or for another attempt, or was given back.</summary>
    public static readonly ErrorCode ClaimLost = Final("claim_lost", 409, "The claim on the run was lost");

    /// <summary>Nobody has asked the run to stop, so that there is nothing to have seen.</summary>
    public static readonly ErrorCode StopNotRequested = Final("stop_not_requested", 409, "Nobody has asked the run to stop");

    /// <summary>The stream has ended; it takes nothing more.</summary>
    public static readonly ErrorCode StreamClosed = Final("stream_closed", 409, "The stream has ended");

    /// <summary>A newer epoch of the same producer is writing.</summary>
    public static readonly ErrorCode Fenced = Final("fenced", 409, "A newer epoch of this producer is writing");

    /// <summary>The producer's sequence skips a number; the detail says which one is expected.</summary>
    public static readonly ErrorCode SequenceGap = Final("sequence_gap", 409, "The producer's sequence has a gap");

    /// <summary>The stream had chunks that are gone (erased or expired); the producer cannot continue it.</summary>
    public static readonly ErrorCode StreamGone = Final("stream_gone", 410, "The stream's chunks are gone");

    /// <summary>The next index of the stream is another than the request expects.</summary>
    public static readonly ErrorCode IndexMismatch = Final("index_mismatch", 412, "The stream's next index is another");

    /// <summary>The fencing token of the stream is another than the request expects.</summary>
    public static readonly ErrorCode FencingTokenMismatch = Final("fencing_token_mismatch", 412, "The stream's fencing token is another");

    /// <summary>One chunk is larger than allowed.</summary>
    public static readonly ErrorCode ChunkTooLarge = Final("chunk_too_large", 413, "The chunk is too large");

    /// <summary>The body of a request that is not streamed is larger than allowed.</summary>
    public static readonly ErrorCode BodyTooLarge = Final("body_too_large", 413, "The body is too large");

    /// <summary>The stream's size limit is reached.</summary>
    public static readonly ErrorCode StreamFull = Final("stream_full", 413, "The stream is full");

    /// <summary>A limit of the run's streams version, or of its environment, is reached; the detail names it.</summary>
    public static readonly ErrorCode LimitReached = Final("limit_reached", 422, "A limit is reached");

    /// <summary>The body's media type is none that this address takes.</summary>
    public static readonly ErrorCode UnsupportedMediaType = Final("unsupported_media_type", 415, "The media type is not supported");

    /// <summary>Too much is waiting for the log already.</summary>
    public static readonly ErrorCode Busy = new("busy", 429, Retryable: true, MayHaveWritten: false, "Too much is waiting");

    /// <summary>The environment, the token or the client's address does more at once than it may; the detail names limit and value, <c>Retry-After</c> the seconds to wait.</summary>
    public static readonly ErrorCode RateLimited = new("rate_limited", 429, Retryable: true, MayHaveWritten: false, "Too much at once");

    /// <summary>Something failed in the server that should not.</summary>
    public static readonly ErrorCode Internal = new("internal", 500, Retryable: true, MayHaveWritten: true, "The server failed");

    /// <summary>The log did not confirm in time. The chunks may be stored; send them again with the same sequence.</summary>
    public static readonly ErrorCode LogUnavailable =
        new("log_unavailable", 503, Retryable: true, MayHaveWritten: true, "The log did not confirm in time");

    /// <summary>The registry of runs cannot be reached.</summary>
    public static readonly ErrorCode RegistryUnavailable =
        new("registry_unavailable", 503, Retryable: true, MayHaveWritten: false, "The registry cannot be reached");

    /// <summary>The server is going down; another one, or the same one soon, will answer.</summary>
    public static readonly ErrorCode ShuttingDown = new("shutting_down", 503, Retryable: true, MayHaveWritten: false, "The server is stopping");

    /// <summary>The broker's storage is full. Nothing acknowledged is dropped to make room.</summary>
    public static readonly ErrorCode StoreFull = new("store_full", 507, Retryable: true, MayHaveWritten: false, "The storage is full");

    /// <summary>The problem's <c>type</c>: a URN, so that it needs no web site to stay valid (RFC 9457, section 3.1.1).</summary>
    public string Type => $"urn:realtimestreams:error:{Code}";

    private static ErrorCode Final(string code, int status, string title) =>
        new(code, status, Retryable: false, MayHaveWritten: false, title);
}

/// <summary>A refusal: the table's row, and what people should know of this occurrence.</summary>
/// <param name="Code">The row.</param>
/// <param name="Detail">Names the limit and the value; leaks no other tenant.</param>
public sealed record Refusal(ErrorCode Code, string Detail);
