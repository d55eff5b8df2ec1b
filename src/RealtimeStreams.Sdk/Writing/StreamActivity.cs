namespace RealtimeStreams.Sdk.Writing;

/// <summary>What a run must know of a pipe or writer that was started in it.</summary>
internal sealed class StreamActivity
{
    /// <summary>Whether somebody looked after the outcome, so that the run need not.</summary>
    public volatile bool WasAskedFor;

    /// <summary>The failure, once it is known.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Done with the upload, also when that failed. Never faulted.</summary>
    public Task Settled => settled.Task;

    private readonly TaskCompletionSource settled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Settle(Exception? failure)
    {
        Failure = failure;
        settled.TrySetResult();
    }
}
