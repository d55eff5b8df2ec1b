namespace RealtimeStreams.Dialects.S2.Records;

/// <summary>Whose timestamps a stream's records get.</summary>
internal enum TimestampingMode
{
    /// <summary>The client's where there is one, else the time of arrival.</summary>
    ClientPrefer,

    /// <summary>The client's; a record without one is refused.</summary>
    ClientRequire,

    /// <summary>The time of arrival, whatever the client says.</summary>
    Arrival,
}

/// <summary>What a stream makes of the records that come for it.</summary>
/// <param name="Mode">Whose timestamps count.</param>
/// <param name="Uncapped">Whether a client's timestamp may be later than the arrival.</param>
/// <param name="Unwraps">Whether it is a run's stream, whose chunks are what the Trigger client puts into envelopes.</param>
/// <param name="MayTrim">Whether the credential allows giving up records.</param>
/// <param name="MayFence">Whether the credential allows setting the fencing token.</param>
internal readonly record struct BatchRules(TimestampingMode Mode, bool Uncapped, bool Unwraps, bool MayTrim = true, bool MayFence = true);
