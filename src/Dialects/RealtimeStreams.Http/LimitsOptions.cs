using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace RealtimeStreams.Http;

/// <summary>How much callers may do at once, each counted by one server process. Operators may set most of them otherwise for an environment.</summary>
public sealed class LimitsOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "RealtimeStreams:Limits";

    /// <summary>How many requests an environment may send a second, on average. Default: 20,000.</summary>
    [Range(1, 10_000_000)]
    public int RequestsPerSecond { get; set; } = 20_000;

    /// <summary>How many requests an environment may send at once before the average counts. Default: 40,000.</summary>
    [Range(1, 10_000_000)]
    public int RequestBurst { get; set; } = 40_000;

    /// <summary>How many requests of an environment may be answered at the same time, beside live reads and open bodies. Default: 5,000.</summary>
    [Range(1, 10_000_000)]
    public int ConcurrentRequests { get; set; } = 5_000;

    /// <summary>How many live reads an environment may have. Default: 10,000.</summary>
    [Range(1, 10_000_000)]
    public int Readers { get; set; } = 10_000;

    /// <summary>How many open-ended bodies and sessions of appends an environment may have. Default: 10,000.</summary>
    [Range(1, 10_000_000)]
    public int OpenBodies { get; set; } = 10_000;

    /// <summary>How many requests may come with one public token a second, on average. Default: 200.</summary>
    [Range(1, 10_000_000)]
    public int TokenRequestsPerSecond { get; set; } = 200;

    /// <summary>How many requests may come with one public token at once before the average counts. Default: 400.</summary>
    [Range(1, 10_000_000)]
    public int TokenRequestBurst { get; set; } = 400;

    /// <summary>How many requests with one public token may be answered at the same time, beside live reads and open bodies. Default: 100.</summary>
    [Range(1, 10_000_000)]
    public int TokenConcurrentRequests { get; set; } = 100;

    /// <summary>How many live reads one public token may have. Default: 100.</summary>
    [Range(1, 10_000_000)]
    public int TokenReaders { get; set; } = 100;

    /// <summary>How many open-ended bodies and sessions of appends one public token may have. Default: 100.</summary>
    [Range(1, 10_000_000)]
    public int TokenOpenBodies { get; set; } = 100;

    /// <summary>How many requests with a credential that opens nothing may come from one address a second, on average. Default: 10.</summary>
    [Range(1, 1_000_000)]
    public int FailedLoginsPerSecond { get; set; } = 10;

    /// <summary>How many of them may come at once before the average counts. Default: 200.</summary>
    [Range(1, 1_000_000)]
    public int FailedLoginBurst { get; set; } = 200;

    /// <summary>The most bytes of a body that is taken as a whole. Open-ended bodies and sessions have no such limit. Default: 32 MiB.</summary>
    [Range(64 * 1024, 1024 * 1024 * 1024)]
    public long MaxBodyBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>How slowly such a body may come, in bytes a second over all of it, once <see cref="BodyGrace"/> is over. Default: 240.</summary>
    [Range(1, 1_000_000)]
    public int MinBodyBytesPerSecond { get; set; } = 240;

    /// <summary>For how long it may come more slowly. Default: 5 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "00:10:00")]
    public TimeSpan BodyGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a request's headers may take to come. Default: 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan HeadersTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The most bytes of all of a request's headers. Default: 32 KiB.</summary>
    [Range(4 * 1024, 1024 * 1024)]
    public int MaxHeaderBytes { get; set; } = 32 * 1024;

    /// <summary>The most headers of a request. Default: 100.</summary>
    [Range(20, 10_000)]
    public int MaxHeaders { get; set; } = 100;

    /// <summary>The most bytes of a request's first line. Default: 8 KiB.</summary>
    [Range(1024, 64 * 1024)]
    public int MaxRequestLineBytes { get; set; } = 8 * 1024;

    /// <summary>How long whoever is answered may hold up a write by taking nothing, before the connection is ended (over HTTP/2 the request): live readers, append sessions that do not take their acknowledgements, and readers of whole answers. A write of more than 1 MiB has as long again for each further MiB. Default: 2 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan StalledReader { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Of how many tokens, and of how many addresses, something is counted at most; those beyond share one count. Default: 100,000, some 40 MB.</summary>
    [Range(100, 10_000_000)]
    public int CountedCallers { get; set; } = 100_000;
}

[OptionsValidator]
internal sealed partial class LimitsOptionsValidator : IValidateOptions<LimitsOptions>;
