using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest.Tests;

/// <summary>Counts the connections that are open, and were.</summary>
internal sealed class NotedWriters : IOpenWriters
{
    private int open;

    public int Open => Volatile.Read(ref open);

    public List<StreamAddress> Entered { get; } = [];

    public IDisposable Enter(StreamAddress stream)
    {
        Entered.Add(stream);
        Interlocked.Increment(ref open);
        return new Connection(this);
    }

    private sealed class Connection(NotedWriters writers) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref writers.open);
    }
}
