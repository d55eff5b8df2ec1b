using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Stopping;

namespace RealtimeStreams.Sdk.Workers;

/// <summary>The claim of a run that goes on: renewed at a third of its lease, and lost when the server says so, or when it was not reached for the whole of the lease.</summary>
internal sealed class HeldClaim(RunServices services, RunInfo run)
{
    private readonly TimeProvider time = services.Time;
    private Exception? loss;

    /// <summary>Why the claim was lost: somebody else may be at the run, or it has ended. Null while it holds.</summary>
    public Exception? Loss => Volatile.Read(ref loss);

    /// <summary>Renews until the run is done with.</summary>
    /// <param name="stopping">Cancelled when the claim is lost.</param>
    /// <param name="stop">Told when the server says that the run shall stop.</param>
    /// <param name="done">The run is done with.</param>
    public async Task HoldAsync(CancellationTokenSource stopping, StopSignal stop, CancellationToken done)
    {
        var heldSince = time.GetTimestamp();
        try
        {
            while (true)
            {
                await Task.Delay(services.Lease / 3, time, done).ConfigureAwait(false);
                var asked = time.GetTimestamp();
                var renewed = await RenewAsync(services.Lease - time.GetElapsedTime(heldSince), done).ConfigureAwait(false);
                if (renewed.StopRequested is { } notice) stop.Learn(notice);
                heldSince = asked; // The server counts from some moment after it.
            }
        }
        catch (OperationCanceledException) when (done.IsCancellationRequested)
        {
            // Done with.
        }
        catch (Exception failure)
        {
            // Whatever it was: nobody renews it any more.
            Volatile.Write(ref loss, failure);
            await stopping.CancelSafelyAsync(services.Logger).ConfigureAwait(false);
        }
    }

    private async Task<RunInfo> RenewAsync(TimeSpan left, CancellationToken done)
    {
        using var limit = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, done);
        try
        {
            return await services.Client.Runs.RenewAsync(run, services.Lease, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!done.IsCancellationRequested)
        {
            throw new TimeoutException($"The claim of the run '{run.Id}' could not be renewed in time; another worker may have it.");
        }
    }
}
