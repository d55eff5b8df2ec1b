namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>What a row of <c>runs</c> stands for. The numbers are stored.</summary>
internal enum RunKind
{
    /// <summary>A run.</summary>
    Ordinary = 0,

    /// <summary>What a named stream hangs on. In no list, and with an id that is told to nobody.</summary>
    Hidden = 1,
}
