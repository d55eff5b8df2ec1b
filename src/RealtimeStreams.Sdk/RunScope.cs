using System.Runtime.ExceptionServices;

namespace RealtimeStreams.Sdk;

/// <summary>The time in which a run is the one that is going on. Dispose it in the method that entered it.</summary>
public sealed class RunScope : IAsyncDisposable
{
    private readonly RunContext? before;
    private bool ended;

    internal RunScope(RunContext context)
    {
        Context = context;
        before = RunContext.Current;
        RunContext.Switch(context);
    }

    /// <summary>The run that is going on.</summary>
    public RunContext Context { get; }

    /// <summary>Gives back the run that was going on before, and waits for the open pipes and writers of this one.</summary>
    /// <exception cref="RealtimeStreamsException">One of them failed, and nobody asked for its <see cref="StreamPipe{T}.Completion"/>.</exception>
    public ValueTask DisposeAsync()
    {
        if (ended) return ValueTask.CompletedTask;
        ended = true;
        RunContext.Switch(before); // Here and not in an async method, whose changes to the context would end with it.
        return new ValueTask(WaitAsync());
    }

    private async Task WaitAsync()
    {
        if (await Context.WhenWrittenAsync(CancellationToken.None).ConfigureAwait(false) is { } failure)
            ExceptionDispatchInfo.Throw(failure);
    }
}
