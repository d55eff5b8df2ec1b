namespace RealtimeStreams.Sdk;

/// <summary>Why a run shall stop.</summary>
public enum RunStopCause
{
    /// <summary>It shall not.</summary>
    None = 0,

    /// <summary>Somebody has asked it to (<see cref="IRuns.StopAsync"/>).</summary>
    Requested = 1,

    /// <summary>The claim was lost: it has ended, another worker has it, or the server was not reached for the time of the lease. What comes of this attempt is dropped.</summary>
    ClaimLost = 2,

    /// <summary>The host stops, or whoever began the run has cancelled it.</summary>
    HostStopping = 3,

    /// <summary>Its body has failed.</summary>
    Failed = 4,
}
