namespace RealtimeStreams.Dialects.Trigger.Requests;

/// <summary>The header names that the published clients know.</summary>
internal static class TriggerHeaders
{
    /// <summary>The same on every retry of one call.</summary>
    public const string RequestIdempotencyKey = "x-trigger-request-idempotency-key";

    /// <summary>The streams version that a run is to have: v1 or v2.</summary>
    public const string RunStreamsVersion = "x-trigger-realtime-streams-version";

    /// <summary>How the body of a read is to be parsed.</summary>
    public const string StreamVersion = "X-Stream-Version";

    /// <summary>The last record that a reader has.</summary>
    public const string LastEventId = "Last-Event-ID";

    /// <summary>How long a reader waits for a record.</summary>
    public const string TimeoutSeconds = "Timeout-Seconds";

    /// <summary><c>latest</c>: a read without a last record starts at the end.</summary>
    public const string StreamStart = "X-Trigger-Stream-Start";

    /// <summary>Who writes, of the v1 writers.</summary>
    public const string ClientId = "X-Client-Id";

    /// <summary>The number of the first line of a v1 writer's body.</summary>
    public const string ResumeFromChunk = "X-Resume-From-Chunk";

    /// <summary>The number of a v1 writer's last stored line; -1: none.</summary>
    public const string LastChunkIndex = "X-Last-Chunk-Index";

    /// <summary>When a refused request may come again, in milliseconds since 1970.</summary>
    public const string LimitReset = "x-ratelimit-reset";

    /// <summary>The limit that was reached.</summary>
    public const string Limit = "x-ratelimit-limit";

    /// <summary>What is left of it.</summary>
    public const string LimitRemaining = "x-ratelimit-remaining";

    /// <summary>The id of an appended chunk.</summary>
    public const string PartId = "X-Part-Id";
}
