using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>
/// Until when the writers of open streams count as there. What was appended last the log knows; noted here is only that a connection is open, and what a
/// sweep found out. Streams outside of runs, and input streams, have no lease.
/// </summary>
/// <remarks>The nodes' clocks are compared with each other: they should agree within a second or two.</remarks>
/// <exception cref="RegistryUnavailableException">Thrown by every call when the database cannot be reached.</exception>
public interface IWriterLeases
{
    /// <summary>Notes that streams have a writer now, for a lease and a third, so that who renews at every third gives a whole lease from when he last could.</summary>
    /// <remarks>Never moves an end back. What is doubted is not doubted any more.</remarks>
    /// <param name="streams">Which ones.</param>
    /// <param name="cancellationToken">Gives up; some may have been renewed.</param>
    /// <returns>How long the leases are. A stream that is not in it has ended, has no lease, or has not begun.</returns>
    Task<IReadOnlyDictionary<StreamAddress, TimeSpan>> RenewAsync(IReadOnlyCollection<StreamAddress> streams, CancellationToken cancellationToken);

    /// <summary>The open streams of open runs whose noted time is over, longest first.</summary>
    /// <param name="most">At most so many, 1 to 1,000.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<IReadOnlyList<ExpiredLease>> FindExpiredAsync(int most, CancellationToken cancellationToken);

    /// <summary>Notes that a stream was written meanwhile, or that it cannot be found out now: nothing is doubted until then.</summary>
    /// <returns>False when it has changed since it was found, or was marked closed.</returns>
    Task<bool> ProlongAsync(ExpiredLease lease, DateTimeOffset until, CancellationToken cancellationToken);

    /// <summary>Notes that nobody seems to write any more, and leaves the stream alone until then, on all nodes: the first time for a last renewal, later for whoever is at it.</summary>
    /// <returns>False when it has changed since it was found, or was marked closed: somebody else is at it, or a writer is there.</returns>
    Task<bool> DoubtAsync(ExpiredLease lease, DateTimeOffset until, CancellationToken cancellationToken);
}

/// <summary>A stream whose writers seem to be gone.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Lease">How long they may be.</param>
/// <param name="Until">What was noted.</param>
/// <param name="IsDoubted">Whether it was found so before, and no writer has been noted since.</param>
public sealed record ExpiredLease(StreamAddress Stream, TimeSpan Lease, DateTimeOffset Until, bool IsDoubted);
