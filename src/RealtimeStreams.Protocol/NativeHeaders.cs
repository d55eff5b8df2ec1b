namespace RealtimeStreams.Protocol;

/// <summary>Header names of the native dialect.</summary>
public static class NativeHeaders
{
    /// <summary>The producer's id. Goes with <see cref="ProducerSequence"/>.</summary>
    public const string ProducerId = "RealtimeStreams-Producer-Id";

    /// <summary>The producer's epoch (attempt), 0 to 4294967295; 0 when absent. A newer epoch fences the older one.</summary>
    public const string ProducerEpoch = "RealtimeStreams-Producer-Epoch";

    /// <summary>The producer's own number of the body's first chunk; numbers start at 0 in every epoch.</summary>
    public const string ProducerSequence = "RealtimeStreams-Producer-Sequence";

    /// <summary>Answer of HEAD when asked with <see cref="ProducerId"/>: the number that the producer's next chunk must have.</summary>
    public const string ProducerNextSequence = "RealtimeStreams-Producer-Next-Sequence";

    /// <summary>Recognises the retry of a one-chunk append for ten minutes. 1 to 128 bytes.</summary>
    public const string IdempotencyKey = "Idempotency-Key";

    /// <summary>
    /// How long the stream's writers may be gone from now on before it is closed as abandoned: whole seconds, 5 to 604800. Goes with every append; absent: as it is.
    /// </summary>
    public const string WriterLease = "RealtimeStreams-Writer-Lease";

    /// <summary>The writer's own run, when the path says <c>parent</c>, <c>root</c> or <c>self</c> in place of a run id.</summary>
    public const string Run = "RealtimeStreams-Run";

    /// <summary>The index that the stream's next chunk will get.</summary>
    public const string NextIndex = "RealtimeStreams-Next-Index";

    /// <summary>The first index that can still be read.</summary>
    public const string FirstIndex = "RealtimeStreams-First-Index";

    /// <summary>The id of the receipt of an erasure that an S2 client asked for.</summary>
    public const string Erasure = "RealtimeStreams-Erasure";

    /// <summary><c>open</c> or <c>closed</c>.</summary>
    public const string State = "RealtimeStreams-State";

    /// <summary>How the stream ended, when it has.</summary>
    public const string Outcome = "RealtimeStreams-Outcome";

    /// <summary>When the stream's run was asked to stop, when it was (RFC 3339).</summary>
    public const string StopRequested = "RealtimeStreams-Stop-Requested";

    /// <summary>The streams version of a run being registered, as the reference product's clients send it.</summary>
    public const string StreamsVersion = "x-trigger-realtime-streams-version";
}

/// <summary>Names of the server-sent events of the native dialect. A chunk's event has no name.</summary>
public static class NativeEvents
{
    /// <summary>All that was stored when the reader came has been sent. Data: <see cref="CaughtUpEvent"/>.</summary>
    public const string CaughtUp = "caught-up";

    /// <summary>The stream has ended; nothing follows. Data: <see cref="EndEvent"/>.</summary>
    public const string End = "end";

    /// <summary>Chunks before an index are gone. Data: <see cref="TrimmedEvent"/>.</summary>
    public const string Trimmed = "trimmed";

    /// <summary>Nothing came for as long as the reader said it would wait; the stream is still open. Data: <see cref="CaughtUpEvent"/>.</summary>
    public const string Timeout = "timeout";

    /// <summary>Somebody has asked the stream's run to stop: before the read began, or just now. Comes once; the stream goes on until its run ends. Data: <see cref="StopNotice"/>.</summary>
    public const string StopRequested = "stop-requested";

    /// <summary>The server is stopping; come back with the cursor. Data: <see cref="CaughtUpEvent"/>.</summary>
    public const string Reconnect = "reconnect";

    /// <summary>The token or secret key that the read was opened with is none any more; come back with the cursor and a new one. Data: <see cref="TokenExpiredEvent"/>.</summary>
    public const string TokenExpired = "token-expired";

    /// <summary>The read failed after it had begun. Data: <see cref="Problem"/>.</summary>
    public const string Error = "error";
}
