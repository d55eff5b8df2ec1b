using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Counting;
using RealtimeStreams.RunRegistry.Ending;
using RealtimeStreams.RunRegistry.Expiring;
using RealtimeStreams.RunRegistry.Registering;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Naming;

/// <summary>Makes, finds, changes and deletes named streams. The key of the table decides between nodes that make the same name at once.</summary>
internal sealed partial class StreamNamer(
    RegistryDatabase database,
    NamedStreamCache cache,
    NamedStreamLister lister,
    RunChanges changes,
    RunErasure erasure,
    RetentionRule retentions,
    OpenRunLimit openRuns,
    ILogger<StreamNamer> logger) : INamedStreams
{
    private const int MaxConfigBytes = 16 * 1024;
    private const int MaxTokenBytes = 256;

    public Task<NamedStreamOutcome> CreateAsync(
        EnvironmentId environment, string name, string config, TimeSpan? retention, string? requestToken, CancellationToken cancellationToken)
    {
        if (requestToken is not null && TextRule.FindFault(requestToken, MaxTokenBytes) is { } fault)
            return Task.FromResult<NamedStreamOutcome>(Refuse($"The request token {fault}."));
        return MakeAsync(environment, name, config, retention, requestToken, takeAny: false, cancellationToken);
    }

    public Task<NamedStreamOutcome> EnsureAsync(
        EnvironmentId environment, string name, string config, TimeSpan? retention, CancellationToken cancellationToken) =>
        MakeAsync(environment, name, config, retention, requestToken: null, takeAny: true, cancellationToken);

    public ValueTask<NamedStream?> FindAsync(EnvironmentId environment, string name, CancellationToken cancellationToken) =>
        cache.Find(environment, name) is { } known
            ? ValueTask.FromResult<NamedStream?>(known)
            : new ValueTask<NamedStream?>(FindColdAsync(environment, name, cancellationToken));

    public async Task<NamedStream?> ReconfigureAsync(
        EnvironmentId environment, string name, string expected, string config, TimeSpan? retention, CancellationToken cancellationToken)
    {
        if (FindConfigFault(config) is { } fault) throw new ArgumentException(fault, nameof(config));
        if (RetentionRule.FindFault(retention) is { } outOfBounds) throw new ArgumentException(outOfBounds.Detail, nameof(retention));
        if (StreamNames.FindFault(name) is not null) return null;
        var changed = await ReplaceAsync(environment.Value, name, expected, config, RetentionRule.SecondsOf(retention), cancellationToken);
        if (await FindRowAsync(environment, name, cancellationToken) is not { } row) return null;
        if (changed) await changes.TellAsync(new RegistryChange(RegistryChangeKind.Changed, environment, RunId.Parse(row.Run)), cancellationToken);
        return ToStream(row);
    }

    public async Task<Erasure?> DeleteAsync(EnvironmentId environment, string name, string by, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (StreamNames.FindFault(name) is not null || await FindRowAsync(environment, name, cancellationToken) is not { } row) return null;
            var receipt = erasure.MakeReceipt(environment, RunId.Parse(row.Run), name, by);
            if (!await RemoveAsync(row, receipt, cancellationToken)) continue; // Somebody else was faster, and the name may have a new stream.

            var named = RunErasure.InLog(name);
            LogDeleted(named, environment, by, receipt.Id);
            await erasure.TryFirstPassAsync(receipt);
            return await erasure.TellAsync(receipt);
        }
    }

    public Task<ListedStreams> ListAsync(
        EnvironmentId environment, string prefix, string startAfter, int limit, CancellationToken cancellationToken) =>
        lister.ListAsync(environment, prefix, startAfter, limit, cancellationToken);

    private async Task<NamedStreamOutcome> MakeAsync(
        EnvironmentId environment, string name, string config, TimeSpan? retention, string? requestToken, bool takeAny, CancellationToken cancellationToken)
    {
        if (StreamNames.FindFault(name) is { } fault) return Refuse($"The stream name {fault}.");
        if (FindConfigFault(config) is { } configFault) return Refuse(configFault);
        if (RetentionRule.FindFault(retention) is { } outOfBounds) return new NamedStreamOutcome.Refused(outOfBounds);
        while (true)
        {
            if (await FindRowAsync(environment, name, cancellationToken) is { } there)
            {
                return takeAny || (requestToken is not null && there.RequestToken == requestToken)
                    ? new NamedStreamOutcome.Made(ToStream(there), New: false)
                    : new NamedStreamOutcome.Taken(ToStream(there));
            }
            if (retentions.FindExcess(environment, retention) is { } excess) return new NamedStreamOutcome.Refused(excess);
            var row = new StoredNamedStream
            {
                Environment = environment.Value,
                Name = name,
                Run = HiddenRuns.Make().Value,
                Config = config,
                RequestToken = requestToken,
                CreatedAt = database.Now(),
            };
            var (made, limit) = await openRuns.InsertAsync(environment, token => TryInsertAsync(row, RetentionRule.SecondsOf(retention), token), cancellationToken);
            if (made)
            {
                LogMade(row.Run, environment);
                return new NamedStreamOutcome.Made(ToStream(row), New: true);
            }
            // Somebody else was first with this name, perhaps with the last place: then it is found.
            if (limit is not null && await FindRowAsync(environment, name, cancellationToken) is null) return new NamedStreamOutcome.Refused(limit);
        }
    }

    private Task<bool> TryInsertAsync(StoredNamedStream row, int? retention, CancellationToken cancellationToken) =>
        database.ChangeAsync("make_named_stream", async (context, token) =>
        {
            context.Runs.Add(new StoredRun
            {
                Environment = row.Environment,
                Id = row.Run,
                Kind = RunKind.Hidden,
                Tags = [],
                Status = RunStatus.Open,
                Version = StreamsVersion.V2,
                CreatedAt = row.CreatedAt,
                Retention = retention,
            });
            context.NamedStreams.Add(row);
            try
            {
                await context.SaveChangesAsync(token);
                return true;
            }
            catch (DbUpdateException exception) when (database.Provider.IsDuplicate(exception))
            {
                return false;
            }
        }, cancellationToken);

    /// <summary>Replaces a stream's configuration, and its hidden run's retention: if that changes, the next look finds out what it means for what is there.</summary>
    private Task<bool> ReplaceAsync(string environment, string name, string expected, string config, int? retention, CancellationToken cancellationToken)
    {
        var now = database.Now();
        return database.ChangeAsync("reconfigure_stream", async (context, token) =>
        {
            await using var transaction = await context.Database.BeginTransactionAsync(token);
            var rows = context.NamedStreams.Where(row => row.Environment == environment && row.Name == name);
            if (await rows.Where(row => row.Config == expected).ExecuteUpdateAsync(set => set.SetProperty(row => row.Config, config), token) == 0) return false;
            var run = await rows.Select(row => row.Run).SingleAsync(token);
            var changed = await context.Runs
                .Where(row => row.Environment == environment && row.Id == run && row.Retention != retention)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.Retention, retention), token);
            if (changed > 0)
                await context.Streams
                    .Where(row => row.Environment == environment && row.Run == run && row.ExpiresAt > now)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.ExpiresAt, now), token);
            await transaction.CommitAsync(token);
            return true;
        }, cancellationToken);
    }

    /// <summary>Frees the name and marks the hidden run as being erased, in one step.</summary>
    private Task<bool> RemoveAsync(StoredNamedStream row, StoredErasure receipt, CancellationToken cancellationToken)
    {
        var now = database.Now();
        return database.ChangeAsync("delete_named_stream", async (context, token) =>
        {
            await using var transaction = await context.Database.BeginTransactionAsync(token);
            var removed = await context.NamedStreams
                .Where(there => there.Environment == row.Environment && there.Name == row.Name && there.Run == row.Run)
                .ExecuteDeleteAsync(token);
            if (removed == 0) return false;
            await context.LivingRuns
                .Where(run => run.Environment == row.Environment && run.Id == row.Run)
                .ExecuteUpdateAsync(set => set
                    .SetProperty(run => run.Pending, PendingWork.Erasure)
                    .SetProperty(run => run.PendingSince, now), token);
            context.Erasures.Add(receipt);
            await context.SaveChangesAsync(token);
            await transaction.CommitAsync(token);
            return true;
        }, cancellationToken);
    }

    private async Task<NamedStream?> FindColdAsync(EnvironmentId environment, string name, CancellationToken cancellationToken)
    {
        if (StreamNames.FindFault(name) is not null) return null;
        var seen = cache.Changes;
        if (await FindRowAsync(environment, name, cancellationToken) is not { } row) return null;
        var stream = ToStream(row);
        cache.Remember(stream, seen);
        return stream;
    }

    private Task<StoredNamedStream?> FindRowAsync(EnvironmentId environment, string name, CancellationToken cancellationToken) =>
        database.ReadAsync("find_named_stream", (context, token) => context.NamedStreams
            .SingleOrDefaultAsync(row => row.Environment == environment.Value && row.Name == name, token), cancellationToken);

    private static NamedStream ToStream(StoredNamedStream row) => new(
        row.Name,
        new StreamAddress(EnvironmentId.Parse(row.Environment), RunId.Parse(row.Run), StreamKey.Default),
        row.Config,
        row.CreatedAt);

    private static string? FindConfigFault(string config)
    {
        if (config.Contains('\0') || TextRule.HasLoneSurrogate(config)) return "The configuration is no storable text.";
        var bytes = Encoding.UTF8.GetByteCount(config);
        return bytes > MaxConfigBytes ? $"The configuration is {bytes} bytes long; at most {MaxConfigBytes} are allowed." : null;
    }

    private static NamedStreamOutcome.Refused Refuse(string detail) => new(new Refusal(ErrorCode.InvalidRequest, detail));

    [LoggerMessage(EventId = 1413, Level = LogLevel.Debug, Message = "Made a named stream on run {Run} of {Environment}")]
    private partial void LogMade(string run, EnvironmentId environment);

    [LoggerMessage(EventId = 1414, Level = LogLevel.Information, Message = "Stream {Stream} of {Environment} is to be erased, asked by {By}: receipt {Erasure}")]
    private partial void LogDeleted(string stream, EnvironmentId environment, string by, string erasure);
}
