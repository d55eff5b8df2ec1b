using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>A stream outside of runs.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Address">Where its chunks are: the stream <c>default</c> of a hidden run. A stream that is made anew under the same name has another one.</param>
/// <param name="Config">What the dialect keeps with it.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record NamedStream(string Name, StreamAddress Address, string Config, DateTimeOffset CreatedAt);

/// <summary>A stream in a list of streams.</summary>
/// <param name="Name">Its name; <c>runs/{run}/{key}</c> for a run's stream.</param>
/// <param name="CreatedAt">When it was made, or its first chunk admitted.</param>
/// <param name="EndedAt">When it was closed; null while it is open.</param>
public sealed record ListedStream(string Name, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt);

/// <summary>A page of streams.</summary>
/// <param name="Streams">In byte order of their names.</param>
/// <param name="HasMore">Whether there are more behind the last.</param>
public sealed record ListedStreams(IReadOnlyList<ListedStream> Streams, bool HasMore);
