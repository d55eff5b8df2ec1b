namespace RealtimeStreams.Protocol;

/// <summary>Where a stream is: its environment, its run and its key.</summary>
/// <param name="Environment">The tenant.</param>
/// <param name="Run">The run, within the environment.</param>
/// <param name="Key">The stream, within the run.</param>
public readonly record struct StreamAddress(EnvironmentId Environment, RunId Run, StreamKey Key)
{
    /// <inheritdoc />
    public override string ToString() => $"{Environment}/{Run}/{Key}";
}
