namespace RealtimeStreams.Sdk.Http;

/// <summary>What one try of a request came to.</summary>
/// <param name="Value">The answer; null when the try failed.</param>
/// <param name="Failure">Why it failed, and whether the same request can succeed later; null when it did not.</param>
/// <param name="RetryAfter">How long the server asks to wait.</param>
internal readonly record struct Answer<T>(T? Value, RealtimeStreamsException? Failure, TimeSpan? RetryAfter)
    where T : class;
