using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Stopping;

namespace RealtimeStreams.Sdk;

/// <summary>A watch of a run: tells when somebody asks it to stop. Holds a request open at the server for as long as it lives; dispose it.</summary>
public sealed class StopSignal : IAsyncDisposable
{
    private readonly StopListener listener;

    internal StopSignal(StopListener listener) => this.listener = listener;

    /// <summary>The run.</summary>
    public string RunId => listener.RunId;

    /// <summary>Cancelled when somebody asks the run to stop; at once if that was before. Not when the run ends, or the signal is disposed.</summary>
    public CancellationToken Token => listener.Token;

    /// <summary>When and why; null until <see cref="Token"/> is cancelled.</summary>
    public StopNotice? Request => listener.Request;

    /// <summary>Somebody else has heard of the request.</summary>
    internal void Learn(StopNotice notice) => listener.Learn(notice);

    /// <summary>Waits until a request that came is acknowledged, as far as that can be, and not for long. At once where none came.</summary>
    internal async Task WhenAcknowledgedAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await listener.WhenAcknowledgedAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            // The run's end is told anyway.
        }
    }

    /// <summary>Ends the watch.</summary>
    public ValueTask DisposeAsync() => listener.DisposeAsync();
}
