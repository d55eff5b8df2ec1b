using RealtimeStreams.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Native.Runs;

/// <summary>The rules of what workers send, as far as they are about presence and range; the registry has those about texts.</summary>
internal static class WorkerFields
{
    private const int DefaultLeaseSeconds = 30;
    private const int MaxLeaseSeconds = 3600;
    private const int MaxWaitSeconds = 30;

    public static TimeSpan LeaseOf(int? seconds) => TimeSpan.FromSeconds(seconds ?? DefaultLeaseSeconds);

    public static ProblemResult? FindFault(Protocol.ClaimRun body)
    {
        if (body.Tasks is not { Count: > 0 } || body.Tasks.Any(task => task is null)) return Wrong("tasks", "must name at least one task");
        if (body.Worker is null) return Wrong("worker", "is missing");
        if (body.LeaseInSeconds is < 1 or > MaxLeaseSeconds) return Wrong("leaseInSeconds", $"must be a number from 1 to {MaxLeaseSeconds}");
        return body.WaitInSeconds is < 0 or > MaxWaitSeconds ? Wrong("waitInSeconds", $"must be a number from 0 to {MaxWaitSeconds}") : null;
    }

    public static ProblemResult? FindFault(Protocol.RenewClaim body)
    {
        if (body.Worker is null) return Wrong("worker", "is missing");
        if (body.Attempt is null) return Wrong("attempt", "is missing");
        return body.LeaseInSeconds is < 0 or > MaxLeaseSeconds ? Wrong("leaseInSeconds", $"must be a number from 0 to {MaxLeaseSeconds}") : null;
    }

    private static ProblemResult Wrong(string field, string rule) => Problems.From(ErrorCode.InvalidRequest, $"The field {field} {rule}.", field);
}
