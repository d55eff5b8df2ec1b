using Microsoft.AspNetCore.Routing;

namespace RealtimeStreams.Dialects.Native.Requests;

/// <summary>What each route asks of a public access token. The secret key may do everything.</summary>
/// <remarks>A route that is not in the table is not served: the first request of a server that has one fails, whatever it asks for.</remarks>
internal static class AccessRules
{
    private const string Stream = "/api/v1/runs/{runId}/streams/{key}";
    private const string Input = "/api/v1/runs/{runId}/inputs/{input}";

    private static readonly AccessRule SecretKey = new("the environment's secret key");

    private static readonly AccessRule ReadRun = new(
        "read on the run, its task or one of its tags",
        new Allowance("read", Subjects.Run));

    private static readonly AccessRule ReadStream = new(
        "read on the stream, its run, or the run's task or one of its tags",
        new Allowance("read", Subjects.Run | Subjects.Stream));

    private static readonly AccessRule TellTail = new(
        "read, write or append on the stream, its run, or the run's task or one of its tags",
        new Allowance("read", Subjects.Run | Subjects.Stream),
        new Allowance("write", Subjects.Run | Subjects.Stream),
        new Allowance("append", Subjects.Run | Subjects.Stream))
    {
        OfInputs =
        [
            new Allowance("read", Subjects.Run | Subjects.Stream),
            new Allowance("input", Subjects.Run | Subjects.Stream | Subjects.Inputs),
            new Allowance("write", Subjects.Stream | Subjects.Inputs),
            new Allowance("append", Subjects.Stream),
        ],
    };

    private static readonly AccessRule Append = new(
        "write or append on the stream, its run, or the run's task or one of its tags; input, for an input stream",
        new Allowance("write", Subjects.Run | Subjects.Stream),
        new Allowance("append", Subjects.Run | Subjects.Stream))
    {
        // Who writes a run's output is not who sends to it.
        OfInputs =
        [
            new Allowance("input", Subjects.Run | Subjects.Stream | Subjects.Inputs),
            new Allowance("write", Subjects.Stream | Subjects.Inputs),
            new Allowance("append", Subjects.Stream),
        ],
    };

    private static readonly AccessRule Close = new(
        "write on the stream, its run, or the run's task or one of its tags",
        new Allowance("write", Subjects.Run | Subjects.Stream))
    {
        OfInputs = [new Allowance("write", Subjects.Stream)],
    };

    private static readonly AccessRule Cancel = new(
        "cancel on the run, its task or one of its tags",
        new Allowance("cancel", Subjects.Run));

    private static readonly AccessRule FollowStop = new(
        "read, write or cancel on the run, its task or one of its tags",
        new Allowance("read", Subjects.Run),
        new Allowance("write", Subjects.Run),
        new Allowance("cancel", Subjects.Run));

    // Who writes the run's output is at it.
    private static readonly AccessRule SeeStop = new(
        "write on the run, its task or one of its tags",
        new Allowance("write", Subjects.Run));

    private static readonly Dictionary<string, AccessRule> rules = new()
    {
        ["POST /api/v1/runs"] = SecretKey,
        ["GET /api/v1/runs"] = SecretKey,
        ["GET /api/v1/runs/{runId}"] = ReadRun,
        ["POST /api/v1/runs/{runId}/complete"] = Cancel,
        ["POST /api/v1/runs/claim"] = SecretKey,
        ["POST /api/v1/runs/{runId}/renew"] = SecretKey,
        ["POST /api/v1/runs/{runId}/stop"] = Cancel,
        ["GET /api/v1/runs/{runId}/stop"] = FollowStop,
        ["POST /api/v1/runs/{runId}/stop/seen"] = SeeStop,
        ["DELETE /api/v1/runs/{runId}"] = SecretKey,
        ["GET /api/v1/erasures/{erasureId}"] = SecretKey,
        ["GET /api/v1/runs/{runId}/streams"] = ReadRun,
        ["POST " + Stream] = Append,
        ["POST " + Stream + "/close"] = Close,
        ["GET " + Stream] = ReadStream,
        ["HEAD " + Stream] = TellTail,
        ["POST " + Input] = Append,
        ["GET " + Input] = ReadStream,
        ["HEAD " + Input] = TellTail,
        ["POST /api/v1/tokens"] = SecretKey,
        ["DELETE /api/v1/tokens/{tokenId}"] = SecretKey,
        ["POST /api/v1/tokens/revoke-all"] = SecretKey,
    };

    /// <summary>The rule of a route.</summary>
    /// <exception cref="InvalidOperationException">It has none.</exception>
    public static AccessRule Of(RouteEndpointBuilder endpoint)
    {
        var methods = endpoint.Metadata.OfType<IHttpMethodMetadata>().LastOrDefault()?.HttpMethods ?? [];
        var route = $"{string.Join(' ', methods)} {endpoint.RoutePattern.RawText?.TrimEnd('/')}";
        return rules.TryGetValue(route, out var rule)
            ? rule
            : throw new InvalidOperationException($"The route {route} has no rule about who may use it.");
    }
}
