using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest;

/// <summary>Knows which streams have a writer whose connection is open here, so that they are not abandoned while it says nothing.</summary>
/// <remarks>A body of <see cref="BodyKind.Lines"/> is noted by <see cref="IAppender"/> itself; a dialect notes what it holds open in another form.</remarks>
public interface IOpenWriters
{
    /// <summary>A connection that writes to a stream is open, until the result is disposed. Asks nobody: the registry is told later, if the connection lasts.</summary>
    /// <param name="stream">The stream. One that has no lease, or has not begun, may be named all the same.</param>
    IDisposable Enter(StreamAddress stream);
}
