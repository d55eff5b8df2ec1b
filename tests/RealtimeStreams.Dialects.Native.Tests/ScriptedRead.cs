using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;

namespace RealtimeStreams.Dialects.Native.Tests;

/// <summary>A read whose steps are written down. When none is left nothing comes: the clock is moved by the time that was to be waited.</summary>
internal sealed class ScriptedRead(FakeTimeProvider clock, params ReadStep[] steps) : IStreamRead
{
    private int next;

    /// <summary>The waits that were asked for when there was no step.</summary>
    public List<TimeSpan> Waits { get; } = [];

    /// <summary>Called at each wait; may cancel or throw.</summary>
    public Action<int> OnWait { get; set; } = _ => { };

    public ChunkIndex Cursor { get; set; } = new(7);

    public ChunkIndex NextIndex { get; set; } = new(7);

    public long LastTimestamp => 0;

    public ValueTask<ReadStep> NextAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        if (next < steps.Length) return ValueTask.FromResult(steps[next++]);
        Waits.Add(wait);
        OnWait(Waits.Count);
        cancellationToken.ThrowIfCancellationRequested();
        clock.Advance(wait);
        return ValueTask.FromResult(new ReadStep(ReadStepKind.Idle, Cursor));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
