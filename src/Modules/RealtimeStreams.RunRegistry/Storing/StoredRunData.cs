namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>A row of <c>run_data</c>: what a run was given and gave, where it was given or gave something.</summary>
/// <remarks>Apart from the run's row, which is read and written far more often: a mebibyte would be copied along each time.</remarks>
internal sealed class StoredRunData
{
    public required string Environment { get; init; }

    public required string Run { get; init; }

    public string? Payload { get; init; }

    public string? PayloadType { get; init; }

    public string? Metadata { get; init; }

    public string? Output { get; init; }

    public string? OutputType { get; init; }
}
