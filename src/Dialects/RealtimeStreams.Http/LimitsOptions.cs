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

    /// <summary>Of how many tokens, and of how many addresses, something is counted at most; those beyond share one count. Default: 100,000, some 40 MB.</summary>
    [Range(100, 10_000_000)]
    public int CountedCallers { get; set; } = 100_000;
}

[OptionsValidator]
internal sealed partial class LimitsOptionsValidator : IValidateOptions<LimitsOptions>;
