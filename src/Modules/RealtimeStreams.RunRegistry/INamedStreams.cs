using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Knows the streams that stand outside of runs, by their names.</summary>
/// <remarks>
/// Each hangs on a hidden run of its own, so that appends, reads and erasure work as for any other stream. A name is 1 to 512 bytes of UTF-8 without
/// U+0000; compared byte by byte. <c>runs/{run}/{key}</c> means the stream of a run: whoever asks here has told those apart already.
/// </remarks>
/// <exception cref="RegistryUnavailableException">Thrown by every call when the database cannot be reached.</exception>
public interface INamedStreams
{
    /// <summary>Makes a stream. Asked again with the same request token, it finds the one that was made. Refused as <see cref="ErrorCode.LimitReached"/> where the environment has as many open runs, these streams included, as it may.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="name">The stream's name.</param>
    /// <param name="config">What the dialect wants to keep with it, at most 16 KiB; opaque here.</param>
    /// <param name="retention">How long its chunks are kept: whole seconds, <see cref="IRetention.Shortest"/> to the environment's; null: as the environment says.</param>
    /// <param name="requestToken">Tells a repeated request from another one, at most 256 bytes; null: every repeat finds the name taken.</param>
    /// <param name="cancellationToken">Gives up; the stream may have been made.</param>
    Task<NamedStreamOutcome> CreateAsync(
        EnvironmentId environment, string name, string config, TimeSpan? retention, string? requestToken, CancellationToken cancellationToken);

    /// <summary>Finds a stream, or makes it: the outcome says which, and is never <see cref="NamedStreamOutcome.Taken"/>. Refused like the one above, where it would have to be made.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="name">The stream's name.</param>
    /// <param name="config">Kept with it if it is made; one that is there keeps its own.</param>
    /// <param name="retention">As of a stream that is made; one that is there keeps its own.</param>
    /// <param name="cancellationToken">Gives up; the stream may have been made.</param>
    Task<NamedStreamOutcome> EnsureAsync(EnvironmentId environment, string name, string config, TimeSpan? retention, CancellationToken cancellationToken);

    /// <summary>The stream of that name; null when there is none. Answers from memory for 30 s, unless a change was announced.</summary>
    ValueTask<NamedStream?> FindAsync(EnvironmentId environment, string name, CancellationToken cancellationToken);

    /// <summary>Replaces a stream's configuration and retention if the configuration still is the expected one. Tells what stands there now; null when there is no such stream.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="name">The stream's name.</param>
    /// <param name="expected">The configuration that the change was made from.</param>
    /// <param name="config">The new one, at most 16 KiB. If the answer has another one, somebody else was faster: make the change from that one.</param>
    /// <param name="retention">Whole seconds, <see cref="IRetention.Shortest"/> or more; at most the environment's counts. Counts for the chunks that are there too.</param>
    /// <param name="cancellationToken">Gives up; the change may have been made.</param>
    /// <exception cref="ArgumentException">The configuration is too long, or the retention out of its bounds.</exception>
    Task<NamedStream?> ReconfigureAsync(
        EnvironmentId environment, string name, string expected, string config, TimeSpan? retention, CancellationToken cancellationToken);

    /// <summary>Deletes a stream and erases its chunks. Its name is free at once, for a new stream that begins with nothing. Tells the receipt; null when there is none.</summary>
    /// <remarks>When an observer throws, the receipt says that it is not done; the stream is gone all the same, and <see cref="IRunRegistry.RepeatAsync"/> repeats the rest.</remarks>
    /// <param name="environment">The tenant.</param>
    /// <param name="name">The stream's name.</param>
    /// <param name="by">Who asks, for the receipt and the log; not a secret.</param>
    /// <param name="cancellationToken">Gives up before it has begun.</param>
    Task<Erasure?> DeleteAsync(EnvironmentId environment, string name, string by, CancellationToken cancellationToken);

    /// <summary>A page of all streams in byte order of their names; those of runs as <c>runs/{run}/{key}</c>, with <c>%</c> and <c>/</c> of the run's id percent-encoded.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="prefix">Only names that begin so; empty for all.</param>
    /// <param name="startAfter">Only names behind this one; empty for all.</param>
    /// <param name="limit">At most so many, 1 to 1,000.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<ListedStreams> ListAsync(
        EnvironmentId environment, string prefix, string startAfter, int limit, CancellationToken cancellationToken);
}
