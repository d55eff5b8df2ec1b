namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>What is still to be done of a run's change, by whoever began it or, after a crash, by a repetition. The numbers are stored.</summary>
internal enum PendingWork
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The run has ended; its observers have not all been through.</summary>
    Completion = 1,

    /// <summary>The run is gone for everybody; its observers have not all been through, and rows are left. From here on nobody finds it.</summary>
    Erasure = 2,

    /// <summary>Erased, but for this row: it keeps the id taken until no server can still be writing what it admitted before.</summary>
    Erased = 3,
}
