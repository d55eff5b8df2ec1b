using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Stopping;

namespace RealtimeStreams.Sdk.Runs;

/// <summary>Runs that are asked to stop.</summary>
internal sealed partial class RunOperations
{
    /// <summary>How long the server holds a request that waits.</summary>
    private static readonly TimeSpan hold = TimeSpan.FromSeconds(20);

    private readonly StopRequests stops = new(transport);

    public Task<StopReceipt> StopAsync(string runId, string? reason, CancellationToken cancellationToken) => stops.AskAsync(runId, reason, cancellationToken);

    public Task<StopReceipt?> GetStopAsync(string runId, CancellationToken cancellationToken) =>
        stops.TryWaitAsync(runId, StopState.Requested, TimeSpan.Zero, cancellationToken);

    public async Task<StopReceipt> WaitForStopAsync(string runId, StopState state, CancellationToken cancellationToken)
    {
        if (!Enum.IsDefined(state)) throw new ArgumentOutOfRangeException(nameof(state), state, null);
        while (true)
        {
            var began = transport.Time.GetTimestamp();
            if (await stops.TryWaitAsync(runId, state, hold, cancellationToken).ConfigureAwait(false) is { } receipt && receipt.State >= state) return receipt;
            // Something in between that does not hold the request must not be asked without a pause.
            if (transport.Time.GetElapsedTime(began) < StopListener.Pause) await stops.RestAsync(StopListener.Pause, cancellationToken).ConfigureAwait(false);
        }
    }

    public StopSignal WatchStop(string runId, string? acknowledgeAs) =>
        WatchStop(new RunInfo(RunId.Parse(runId).Value, null, null, null, [], RunStatus.Open, StreamsVersion.V2, null, default, null) { Worker = acknowledgeAs });

    public StopSignal WatchStop(RunInfo run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return new StopSignal(new StopListener(stops, run, run.Worker ?? worker));
    }
}
