using Microsoft.EntityFrameworkCore;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Registering;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Ending;

/// <summary>Erases on request, and keeps the receipts.</summary>
internal sealed class Erasures(RegistryDatabase database, RunErasure erasure, TimeProvider clock) : IErasures
{
    private const int MaxIdBytes = 64; // They have 40.

    public async Task<Erasure?> EraseAsync(EnvironmentId environment, RunId run, string by, TimeSpan wait, CancellationToken endWait)
    {
        // Not given up half way: what is asked for is stored, or it is not.
        if (await erasure.BeginAsync(environment, run, by, CancellationToken.None) is not { } receipt) return null;
        var work = erasure.TryFirstPassAsync(receipt);
        if (!work.IsCompleted && wait > TimeSpan.Zero)
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(endWait);
            await Task.WhenAny(work, Task.Delay(wait, clock, over.Token));
            await over.CancelAsync();
        }
        return await erasure.TellAsync(receipt);
    }

    public async Task<Erasure?> FindAsync(EnvironmentId environment, string id, CancellationToken cancellationToken)
    {
        if (TextRule.FindFault(id, MaxIdBytes) is not null) return null; // None has such an id; PostgreSQL would not take U+0000 either.
        var row = await erasure.FindReceiptAsync(environment.Value, id, cancellationToken);
        return row?.ToErasure();
    }

    public Task<int> SweepAsync(int most, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, 1000);
        var limit = database.Now() - IErasures.KeepReceipts;
        return database.ChangeAsync("sweep_erasures", async (context, token) =>
        {
            var old = await context.Erasures.Where(row => row.ErasedAt < limit).OrderBy(row => row.ErasedAt).Select(row => row.Id).Take(most).ToListAsync(token);
            return old.Count == 0 ? 0 : await context.Erasures.Where(row => old.Contains(row.Id) && row.ErasedAt < limit).ExecuteDeleteAsync(token);
        }, cancellationToken);
    }
}
