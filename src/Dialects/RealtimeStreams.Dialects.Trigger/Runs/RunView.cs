using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Runs;

/// <summary>A run with the names of its output streams: all that clients are told of it.</summary>
/// <param name="Run">The run.</param>
/// <param name="Streams">The keys of its output streams.</param>
/// <param name="UpdatedAt">When any of this changed last, as far as it is known.</param>
internal sealed record RunView(Run Run, IReadOnlyList<string> Streams, DateTimeOffset UpdatedAt)
{
    /// <summary>When the run started; null while it is queued.</summary>
    public DateTimeOffset? StartedAt => Run.IsQueued ? null : Run.StartedAt ?? Run.CreatedAt;

    /// <summary>How long it ran, or has been running.</summary>
    public int DurationMilliseconds => StartedAt is { } started && Run.CompletedAt is { } completed
        ? (int)Math.Clamp((completed - started).TotalMilliseconds, 0, int.MaxValue)
        : 0;

    /// <summary>Looks at a run; null when this environment has none of that id.</summary>
    public static async Task<RunView?> FindAsync(IRunRegistry registry, EnvironmentId environment, RunId id, CancellationToken cancellationToken)
    {
        if (await registry.FindAsync(environment, id, cancellationToken) is not { } run) return null;
        var rows = await registry.ListStreamsAsync(environment, id, cancellationToken);
        var outputs = rows.Where(row => InputStreams.FindName(row.Key) is null).ToList();
        DateTimeOffset?[] changes = [run.CreatedAt, run.StartedAt, run.CompletedAt, run.Stop?.RequestedAt, run.Stop?.SeenAt, .. outputs.Select(row => (DateTimeOffset?)row.CreatedAt)];
        return new RunView(run, outputs.ConvertAll(row => row.Key.Value), changes.Max()!.Value);
    }
}
