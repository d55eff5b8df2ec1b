using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>When something of a stream may expire next. What did, the log knows; noted here is only when to look.</summary>
/// <remarks>A stream's row is made with a retention from then; whoever looks puts it off. Safe on several nodes: a row is changed only as it was found.</remarks>
/// <exception cref="RegistryUnavailableException">Thrown by every call when the database cannot be reached.</exception>
public interface IStreamExpiries
{
    /// <summary>The streams whose noted time has come, longest first.</summary>
    /// <param name="most">At most so many, 1 to 1,000.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<IReadOnlyList<DueStream>> FindDueAsync(int most, CancellationToken cancellationToken);

    /// <summary>Takes a stream that was found, so that no other node does until then.</summary>
    /// <returns>The stream as it is now; null when it has changed since it was found: somebody else is at it.</returns>
    Task<DueStream?> ClaimAsync(DueStream due, DateTimeOffset until, CancellationToken cancellationToken);

    /// <summary>Notes when to look at a stream that was claimed again.</summary>
    /// <param name="claimed">The stream.</param>
    /// <param name="next">When; null: never, nothing of it can expire any more.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when it has changed since it was claimed.</returns>
    Task<bool> PutOffAsync(DueStream claimed, DateTimeOffset? next, CancellationToken cancellationToken);

    /// <summary>Makes streams due that are put off for longer than their environment's retention is now: an operator made that shorter.</summary>
    /// <param name="most">About so many, 1 to 1,000.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many. As many as asked for: there may be more.</returns>
    Task<int> PullInAsync(int most, CancellationToken cancellationToken);
}

/// <summary>A stream of which something may have expired.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Retention">The retention in force for it.</param>
/// <param name="NotedAt">The time that was noted for it.</param>
/// <param name="Ended">Whether it was marked closed.</param>
public sealed record DueStream(StreamAddress Stream, TimeSpan Retention, DateTimeOffset NotedAt, bool Ended);
