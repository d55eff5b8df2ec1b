namespace RealtimeStreams.Sdk;

/// <summary>A client of one environment of a RealtimeStreams server. Safe for many threads; one a process is enough.</summary>
public interface IRealtimeStreamsClient
{
    /// <summary>Pipes, appends, writes and reads.</summary>
    IStreams Streams { get; }

    /// <summary>Registers, completes and inspects runs.</summary>
    IRuns Runs { get; }

    /// <summary>Issues and revokes public access tokens.</summary>
    ITokens Tokens { get; }
}
