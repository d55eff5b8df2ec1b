namespace RealtimeStreams.Sdk;

/// <summary>How a run is claimed.</summary>
public sealed record ClaimOptions
{
    /// <summary>Who claims, 1 to 256 bytes. Default: the machine's name and a random text, the same for all claims of the client.</summary>
    public string? Worker { get; init; }

    /// <summary>How long the claim holds unless it is renewed, 1 second to 1 hour, in whole seconds. Default: 30 seconds.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long to wait for a run to be triggered, 0 to 30 seconds, in whole seconds. Default: 20 seconds.</summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(20);
}
