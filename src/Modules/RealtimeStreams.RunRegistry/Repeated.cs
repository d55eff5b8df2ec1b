using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>What a repetition of cut-off work came to.</summary>
/// <param name="Done">How many runs are settled now.</param>
/// <param name="Failed">How many were tried in vain; they stay to be repeated.</param>
/// <param name="Next">Where the next call goes on; null when there are no more runs to repeat.</param>
public sealed record Repeated(int Done, int Failed, RepeatCursor? Next);

/// <summary>The last run that a repetition came to.</summary>
/// <param name="Environment">Its tenant.</param>
/// <param name="Run">The run.</param>
public sealed record RepeatCursor(EnvironmentId Environment, RunId Run);
