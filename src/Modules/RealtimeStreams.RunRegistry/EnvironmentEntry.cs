using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>An environment, as operators see it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ValidKeys">How many secret keys open it now.</param>
/// <param name="Settings">What was set for it, by <see cref="EnvironmentSetting.Name"/>; the rest is as the server's own settings say.</param>
public sealed record EnvironmentEntry(EnvironmentId Id, DateTimeOffset CreatedAt, int ValidKeys, IReadOnlyDictionary<string, long> Settings);
