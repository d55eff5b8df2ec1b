namespace RealtimeStreams.RunRegistry.Watching;

/// <summary>A flag that is set by what happens, and taken down by whoever waited for it.</summary>
internal sealed class RunSignal(TimeProvider clock, Action<RunSignal> onDisposed) : IRunSignal
{
    private readonly Lock gate = new();
    private TaskCompletionSource happened = New();

    public void Set()
    {
        lock (gate) happened.TrySetResult(); // Goes on elsewhere: the continuations run asynchronously.
    }

    public async ValueTask<bool> WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        try
        {
            await Volatile.Read(ref happened).Task.WaitAsync(atMost, clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            return false;
        }
        lock (gate) happened = New();
        return true;
    }

    public void Dispose() => onDisposed(this);

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
