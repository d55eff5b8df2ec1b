using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest;

/// <summary>Keeps what a long connection appends to the run that its first batch went to: when that is erased, and another gets its id, the connection is refused. One a connection, whose batches follow each other.</summary>
public sealed class RunBinding
{
    internal StreamAdmission.Admitted? Admitted { get; set; }
}
