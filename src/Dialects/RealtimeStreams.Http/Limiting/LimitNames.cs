namespace RealtimeStreams.Http.Limiting;

/// <summary>What the limits are called, as in an environment's settings.</summary>
internal static class LimitNames
{
    public const string RequestsPerSecond = "requestsPerSecond";
    public const string ConcurrentRequests = "concurrentRequests";
    public const string Readers = "readers";
    public const string OpenBodies = "openBodies";
    public const string TokenRequestsPerSecond = "tokenRequestsPerSecond";
    public const string TokenConcurrentRequests = "tokenConcurrentRequests";
    public const string TokenReaders = "tokenReaders";
    public const string TokenOpenBodies = "tokenOpenBodies";
    public const string FailedLoginsPerSecond = "failedLoginsPerSecond";
}
