using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Ending;

/// <summary>Erases runs, in two passes.</summary>
/// <remarks>
/// Another server may have admitted an append from memory just before it heard of the erasure, and a repetition may overlap with what it
/// repeats. Either could hit a new run of the same id. So the run's row stays, found by nobody, until neither can be; then everything is
/// erased once more, and the id is free.
/// </remarks>
internal sealed partial class RunErasure(
    RegistryDatabase database,
    RunChanges changes,
    Observers observers,
    RegistryTelemetry telemetry,
    IOptions<RunRegistryOptions> options,
    ILogger<RunErasure> logger)
{
    /// <summary>100,000 rows at once take SQLite 2 s, 5,000 a tenth of one.</summary>
    private const int StreamsStep = 5_000;

    /// <summary>How long an erased run's id stays taken: what nodes may remember of the run, and half a minute for what is in flight then.</summary>
    public TimeSpan Quarantine { get; } = options.Value.CacheTime + TimeSpan.FromSeconds(30);

    /// <summary>Marks a run, so that from here on nobody finds it and no stream of it is made, and makes the receipt; all that is left is to be done by <see cref="FirstPassAsync"/>.</summary>
    /// <returns>The receipt, that of an earlier request as long as its work is not done; null when there is no such run.</returns>
    public async Task<StoredErasure?> BeginAsync(EnvironmentId environment, RunId run, string by, CancellationToken cancellationToken)
    {
        var receipt = MakeReceipt(environment, run, null, by);
        var begun = await database.ChangeAsync("erase", async (context, token) =>
        {
            await using var transaction = await context.Database.BeginTransactionAsync(token);
            var marked = await context.LivingRuns
                .Where(row => row.Environment == environment.Value && row.Id == run.Value)
                .ExecuteUpdateAsync(set => set
                    .SetProperty(row => row.Pending, PendingWork.Erasure)
                    .SetProperty(row => row.PendingSince, receipt.RequestedAt)
                    .SetProperty(row => row.ClaimableAt, (DateTimeOffset?)null)
                    .SetProperty(row => row.IdempotencyKey, (string?)null), token); // Free for another run at once.
            if (marked == 0)
            {
                // Asked again while an erasure has not been through.
                return await context.Erasures.FirstOrDefaultAsync(row => row.Environment == environment.Value && row.Run == run.Value && row.ErasedAt == null, token);
            }
            context.Erasures.Add(receipt);
            await context.SaveChangesAsync(token);
            await transaction.CommitAsync(token);
            return receipt;
        }, cancellationToken);
        if (begun == receipt) LogAsked(run, environment, by, receipt.Id);
        return begun;
    }

    /// <summary>A receipt in the making.</summary>
    public StoredErasure MakeReceipt(EnvironmentId environment, RunId run, string? stream, string by) => new()
    {
        Environment = environment.Value,
        Id = $"erasure_{Guid.CreateVersion7(database.Now()):N}",
        Run = run.Value,
        Stream = stream,
        RequestedAt = database.Now(),
        RequestedBy = by,
    };

    /// <summary>Erases what hangs on a marked run, and its streams' rows. Idempotent.</summary>
    public async Task FirstPassAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        await changes.TellAsync(new RegistryChange(RegistryChangeKind.Changed, environment, run), cancellationToken);
        await observers.OnErasingAsync(environment, run, cancellationToken);
        await DeleteStreamsAsync(environment, run, cancellationToken);
        var now = database.Now();
        var receipts = await database.ChangeAsync("erase", async (context, token) =>
        {
            await using var transaction = await context.Database.BeginTransactionAsync(token);
            var marked = await context.Runs
                .Where(row => row.Environment == environment.Value && row.Id == run.Value && row.Pending == PendingWork.Erasure)
                .ExecuteUpdateAsync(set => set
                    .SetProperty(row => row.Pending, PendingWork.Erased)
                    .SetProperty(row => row.PendingSince, now)
                    .SetProperty(row => row.TaskId, (string?)null)
                    .SetProperty(row => row.Error, (string?)null)
                    .SetProperty(row => row.Worker, (string?)null)
                    .SetProperty(row => row.StopReason, (string?)null)
                    .SetProperty(row => row.StopRequestedBy, (string?)null)
                    .SetProperty(row => row.StopSeenBy, (string?)null)
                    .SetProperty(row => row.Tags, Array.Empty<string>()), token);
            if (marked == 0) return []; // Somebody else was through first.
            await context.Streams.Where(row => row.Environment == environment.Value && row.Run == run.Value).ExecuteDeleteAsync(token); // The rest.
            await context.RunData.Where(row => row.Environment == environment.Value && row.Run == run.Value).ExecuteDeleteAsync(token);
            var begun = context.Erasures.Where(row => row.Environment == environment.Value && row.Run == run.Value && row.ErasedAt == null);
            var told = await begun.ToListAsync(token);
            await begun.ExecuteUpdateAsync(set => set.SetProperty(row => row.ErasedAt, now), token);
            await transaction.CommitAsync(token);
            return told;
        }, cancellationToken);
        foreach (var receipt in receipts)
        {
            telemetry.Erased(now - receipt.RequestedAt);
            if (InLog(receipt.Stream) is { } stream) LogStreamErased(stream, environment, receipt.RequestedBy, receipt.Id);
            else LogErased(run, environment, receipt.RequestedBy, receipt.Id);
        }
    }

    /// <summary>As <see cref="FirstPassAsync"/>, whether or not anybody waits. Lets no exception out: the receipt is made, and what fails is tried again.</summary>
    /// <param name="receipt">What is erased.</param>
    public async Task TryFirstPassAsync(StoredErasure receipt)
    {
        var (environment, run) = (EnvironmentId.Parse(receipt.Environment), RunId.Parse(receipt.Run));
        try
        {
            await FirstPassAsync(environment, run, CancellationToken.None);
        }
        catch (Exception exception)
        {
            if (InLog(receipt.Stream) is { } stream) LogStreamNotYet(stream, environment, exception);
            else LogNotYet(run, environment, exception);
        }
    }

    /// <summary>A receipt as it stands now, or as it was made where the database cannot tell: who asked for an erasure gets one in any case, and can ask again by it.</summary>
    public async Task<Erasure> TellAsync(StoredErasure made)
    {
        try
        {
            return (await FindReceiptAsync(made.Environment, made.Id, CancellationToken.None) ?? made).ToErasure();
        }
        catch (RegistryUnavailableException)
        {
            return made.ToErasure();
        }
    }

    public Task<StoredErasure?> FindReceiptAsync(string environment, string id, CancellationToken cancellationToken) =>
        database.ReadAsync("find_erasure", (context, token) => context.Erasures
            .SingleOrDefaultAsync(there => there.Environment == environment && there.Id == id, token), cancellationToken);

    /// <summary>The name of a stream outside of runs for the log: such names may have line breaks.</summary>
    [return: NotNullIfNotNull(nameof(stream))]
    public static string? InLog(string? stream) => stream is null ? null : $"\"{JsonEncodedText.Encode(stream, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    /// <summary>Erases what was written late, and frees the id.</summary>
    public async Task SecondPassAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        await observers.OnErasingAsync(environment, run, cancellationToken);
        await database.ChangeAsync("erase", (context, token) => context.Runs
            .Where(row => row.Environment == environment.Value && row.Id == run.Value && row.Pending == PendingWork.Erased)
            .ExecuteDeleteAsync(token), cancellationToken);
    }

    /// <summary>Deletes a run's streams' rows but for the last of them, a bounded step at a time: on SQLite nobody else writes meanwhile.</summary>
    private async Task DeleteStreamsAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        while (await database.ChangeAsync("erase_streams", async (context, token) =>
        {
            var rows = context.Streams.Where(row => row.Environment == environment.Value && row.Run == run.Value);
            var end = await rows.OrderBy(row => row.Key).Select(row => row.Key).Skip(StreamsStep).FirstOrDefaultAsync(token);
            return end is not null && await rows.Where(row => string.Compare(row.Key, end) < 0).ExecuteDeleteAsync(token) > 0;
        }, cancellationToken))
        {
        }
    }

    [LoggerMessage(EventId = 1405, Level = LogLevel.Information, Message = "Erased run {Run} of {Environment} for {By}: receipt {Erasure}")]
    private partial void LogErased(RunId run, EnvironmentId environment, string by, string erasure);

    [LoggerMessage(EventId = 1460, Level = LogLevel.Information, Message = "Run {Run} of {Environment} is to be erased, asked by {By}: receipt {Erasure}")]
    private partial void LogAsked(RunId run, EnvironmentId environment, string by, string erasure);

    [LoggerMessage(EventId = 1461, Level = LogLevel.Warning, Message = "Run {Run} of {Environment} could not be erased altogether yet; it is tried again")]
    private partial void LogNotYet(RunId run, EnvironmentId environment, Exception exception);

    [LoggerMessage(EventId = 1462, Level = LogLevel.Information, Message = "Erased stream {Stream} of {Environment} for {By}: receipt {Erasure}")]
    private partial void LogStreamErased(string stream, EnvironmentId environment, string by, string erasure);

    [LoggerMessage(EventId = 1463, Level = LogLevel.Warning, Message = "Stream {Stream} of {Environment} could not be erased altogether yet; it is tried again")]
    private partial void LogStreamNotYet(string stream, EnvironmentId environment, Exception exception);
}
