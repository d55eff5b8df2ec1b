namespace RealtimeStreams.Dialects.S2.Requests;

/// <summary>The time that a write has which is under way when its session is to end.</summary>
/// <remarks>
/// The web server resets a request whose flush is cancelled, and a reset is fatal to clients. A flush is under way at most times, for an instant; so one that goes on has its instant, and
/// only one that the client holds up is cut off.
/// </remarks>
internal sealed class Grace : IDisposable
{
    /// <summary>A client that does not read gets no more time than this: the server may be stopping.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource over;
    private readonly CancellationTokenRegistration ofGone;
    private readonly CancellationTokenRegistration ofEnding;

    /// <param name="clock">The time.</param>
    /// <param name="ending">The session is to end.</param>
    /// <param name="gone">The client has gone: nothing is waited for.</param>
    public Grace(TimeProvider clock, CancellationToken ending, CancellationToken gone)
    {
        over = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        ofGone = gone.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), over);
        ofEnding = ending.UnsafeRegister(static source => ((CancellationTokenSource)source!).CancelAfter(Length), over);
    }

    /// <summary>Cancelled when there is no more time.</summary>
    public CancellationToken Over => over.Token;

    public void Dispose()
    {
        ofEnding.Dispose(); // Waits for a callback that runs: it needs the source.
        ofGone.Dispose();
        over.Dispose();
    }
}
