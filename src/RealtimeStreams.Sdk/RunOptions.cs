namespace RealtimeStreams.Sdk;

/// <summary>How a delegate is run as a run.</summary>
public sealed record RunOptions
{
    /// <summary>Which attempt at the run this is: the epoch of all that is written in it. Default: 0.</summary>
    public uint Attempt { get; init; }

    /// <summary>Whether a run whose body threw stays open, for another attempt. Default: no, it is completed as <c>failed</c>.</summary>
    public bool KeepOpenOnFailure { get; init; }

    /// <summary>Whether the body's token is cancelled when somebody asks the run to stop (<see cref="IRuns.StopAsync"/>), which is acknowledged: a request is
    /// held open at the server for as long as the body goes on. Default: no.</summary>
    public bool StopOnRequest { get; init; }

    /// <summary>How long the end of a run that failed or was cancelled may take: storing what its pipes have taken, and completing it.
    /// Default: 30 seconds.</summary>
    public TimeSpan EndTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
