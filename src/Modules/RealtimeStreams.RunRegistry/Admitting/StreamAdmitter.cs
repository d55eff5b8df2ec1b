using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Counting;
using RealtimeStreams.RunRegistry.Ending;
using RealtimeStreams.RunRegistry.Expiring;
using RealtimeStreams.RunRegistry.Leasing;
using RealtimeStreams.RunRegistry.Naming;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Admitting;

/// <summary>Says whether a stream may be written: from memory, or from its row, or by making its row.</summary>
internal sealed partial class StreamAdmitter(
    RegistryDatabase database, RunLimitsRule runLimits, RunCache cache, UsageReports usages, RunChanges changes, RetentionRule retention, RegistryTelemetry telemetry, IOptions<RunRegistryOptions> options, ILogger<StreamAdmitter> logger)
{
    /// <param name="stream">Which one.</param>
    /// <param name="before">What whoever asks was told before; null: nothing.</param>
    /// <param name="writerLease">The lease that is asked for, if one is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public ValueTask<StreamAdmission> AdmitAsync(
        StreamAddress stream, StreamAdmission.Admitted? before, TimeSpan? writerLease, CancellationToken cancellationToken)
    {
        var lease = LeaseRule.HasLease(stream) ? LeaseRule.SecondsOf(writerLease) : null;
        return cache.FindAdmitted(stream) is { } admitted && (lease is null || cache.FindLease(stream) == lease) && IsStill(before, admitted.RegisteredAt)
            ? ValueTask.FromResult<StreamAdmission>(admitted)
            : new ValueTask<StreamAdmission>(AdmitColdAsync(stream, before, lease, cancellationToken));
    }

    private async Task<StreamAdmission> AdmitColdAsync(
        StreamAddress stream, StreamAdmission.Admitted? before, int? lease, CancellationToken cancellationToken)
    {
        var memory = cache.Open(stream.Environment, stream.Run);
        while (true)
        {
            var state = await FindStateAsync(stream, cancellationToken);
            if (Refuse(stream, state) is { } refusal) return new StreamAdmission.Refused(refusal);
            if (!IsStill(before, state!.RegisteredAt)) return new StreamAdmission.Refused(RunRefusals.Replaced(stream.Run));
            if (!IsStill(memory.Admission, state.RegisteredAt))
            {
                // This server did not hear that the run which it remembers was erased.
                cache.Forget(stream.Environment, stream.Run);
                memory = cache.Open(stream.Environment, stream.Run);
            }
            if (state.HasRow)
            {
                if (lease is { } asked && state.Lease != asked) await ChangeLeaseAsync(stream, asked, cancellationToken);
                var admitted = Admit(stream, memory, state);
                cache.Admit(memory, stream.Key);
                if (lease is not null) cache.RememberLease(memory, stream.Key, lease.Value);
                return admitted;
            }
            if (await MakeRowAsync(stream, state, lease, cancellationToken) is { } limit) return new StreamAdmission.Refused(limit);

            // The row was made, here or by somebody else, or the run ended in between: what stands in the database says which.
        }
    }

    private Task<RunState?> FindStateAsync(StreamAddress stream, CancellationToken cancellationToken)
    {
        var (environment, run, key) = (stream.Environment.Value, stream.Run.Value, stream.Key.Value);
        return database.ReadAsync("admit", (context, token) => context.LivingRuns
            .Where(row => row.Environment == environment && row.Id == run)
            .Select(row => new RunState(
                row.Status,
                row.Version,
                row.Retention,
                row.Bytes,
                row.CreatedAt,
                context.Streams.Any(made => made.Environment == environment && made.Run == run && made.Key == key),
                context.Streams
                    .Where(made => made.Environment == environment && made.Run == run && made.Key == key)
                    .Select(made => made.WriterLease)
                    .FirstOrDefault()))
            .SingleOrDefaultAsync(token), cancellationToken);
    }

    /// <summary>Makes the row, unless it is there or the run is not open any more. Says which limit forbids it, if one does.</summary>
    private async Task<Refusal?> MakeRowAsync(StreamAddress stream, RunState run, int? lease, CancellationToken cancellationToken)
    {
        var (made, limit) = await TryMakeRowAsync(stream, run, lease, cancellationToken);
        if (made) await changes.TellAsync(new RegistryChange(RegistryChangeKind.Progressed, stream.Environment, stream.Run), cancellationToken);
        return limit;
    }

    private Task<(bool Made, Refusal? Limit)> TryMakeRowAsync(
        StreamAddress stream, RunState state, int? lease, CancellationToken cancellationToken)
    {
        var expiresAt = database.Now() + retention.Of(stream.Environment, state.Version, state.Retention);
        var until = LeaseRule.HasLease(stream) ? database.Now() + LeaseRule.LengthOf(lease, options.Value) : default(DateTimeOffset?);
        var (environment, run, key) = (stream.Environment.Value, stream.Run.Value, stream.Key.Value);
        return database.ChangeAsync("make_stream", async (context, token) =>
        {
            await using var transaction = await context.Database.BeginTransactionAsync(token);

            // 1. Locks the run's row, if the run is open. An end of the run waits for this transaction, or was before it and is seen here:
            //    so no row is made after an end, and the rows are counted by one at a time.
            var open = await context.LivingRuns
                .Where(row => row.Environment == environment && row.Id == run && row.Status == RunStatus.Open)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.StreamCount, row => row.StreamCount + 1), token);
            if (open == 0) return (false, null);

            // 2. Leaving without a commit takes the count back.
            var streams = context.Streams.Where(row => row.Environment == environment && row.Run == run);
            if (await streams.AnyAsync(row => row.Key == key, token)) return (false, null);
            if (await FindLimitAsync(streams, stream.Environment, state.Version, token) is { } limit) return (false, limit);

            // 3.
            context.Streams.Add(new StoredStream
            {
                Environment = environment,
                Run = run,
                Key = key,
                Name = HiddenRuns.MayBe(stream.Run) ? null : StreamNames.Of(stream.Run, stream.Key),
                CreatedAt = database.Now(),
                WriterUntil = until,
                WriterLease = lease,
                ExpiresAt = expiresAt,
            });
            await context.SaveChangesAsync(token);
            await transaction.CommitAsync(token);
            LogMade(stream.Key, stream.Run);
            return (true, default(Refusal));
        }, cancellationToken);
    }

    private Task<int> ChangeLeaseAsync(StreamAddress stream, int lease, CancellationToken cancellationToken)
    {
        var until = database.Now() + TimeSpan.FromSeconds(lease);
        return database.ChangeAsync("change_lease", async (context, token) =>
        {
            var rows = context.Streams.Where(row => row.Environment == stream.Environment.Value && row.Run == stream.Run.Value
                && row.Key == stream.Key.Value && row.Outcome == null && row.WriterUntil != null);
            await rows.ExecuteUpdateAsync(set => set.SetProperty(row => row.WriterLease, lease), token);

            // Never sooner than was promised: another node may hold an open connection, and renews when it thinks that it must.
            return await rows.Where(row => row.WriterUntil < until).ExecuteUpdateAsync(set => set
                .SetProperty(row => row.WriterUntil, until)
                .SetProperty(row => row.WriterDoubted, false), token);
        }, cancellationToken);
    }

    private async Task<Refusal?> FindLimitAsync(
        IQueryable<StoredStream> streams, EnvironmentId environment, StreamsVersion version, CancellationToken cancellationToken)
    {
        var (limits, ofVersion) = (runLimits.Of(environment, version), runLimits.Of(version));
        if (limits.MaxStreams is { } most && await streams.CountAsync(cancellationToken) >= most)
            return Refuse("maxStreams", $"A run of {Whose(most == ofVersion.MaxStreams)} has at most {most} streams; this one has them.");
        if (limits.MaxActiveStreams is { } active && await streams.CountAsync(row => row.Outcome == null, cancellationToken) >= active)
            return Refuse(
                "maxActiveStreams", $"A run of {Whose(active == ofVersion.MaxActiveStreams)} has at most {active} active streams; this one has them. Close one first.");
        return null;

        string Whose(bool versions) => versions ? $"streams version {(version == StreamsVersion.V1 ? "v1" : "v2")}" : "this environment";
    }

    private Refusal Refuse(string limit, string detail)
    {
        telemetry.RecordRefusedLimit(limit);
        return new Refusal(ErrorCode.LimitReached, detail);
    }

    private static Refusal? Refuse(StreamAddress stream, RunState? state) => state switch
    {
        null => RunRefusals.NotFound(stream.Run),
        { Status: not RunStatus.Open } => RunRefusals.Ended(stream.Run, state.Status),
        { Version: StreamsVersion.V1 } when InputStreams.FindName(stream.Key) is not null => RunRefusals.NoInputs(stream.Run),
        _ => null,
    };

    /// <summary>Whether a yes of before is one to the run that is there. An erased run's id stays taken for a minute, so that no other was registered at the same time.</summary>
    private static bool IsStill(StreamAdmission.Admitted? before, DateTimeOffset registeredAt) => before is null || before.RegisteredAt == registeredAt;

    /// <summary>The yes, with all that this server knows of the run's bytes.</summary>
    private StreamAdmission.Admitted Admit(StreamAddress stream, RunMemory memory, RunState state)
    {
        var admitted = memory.Admission ?? memory.Keep(new StreamAdmission.Admitted(
            state.Version, HiddenRuns.MayBe(stream.Run) ? null : usages.Make(stream.Environment, stream.Run, state.Version, state.Bytes), state.RegisteredAt));
        admitted.Usage?.Learn(state.Bytes);
        return admitted;
    }

    [LoggerMessage(EventId = 1402, Level = LogLevel.Debug, Message = "Made the row of {Stream} of run {Run}")]
    private partial void LogMade(StreamKey stream, RunId run);

    private sealed record RunState(RunStatus Status, StreamsVersion Version, int? Retention, long Bytes, DateTimeOffset RegisteredAt, bool HasRow, int? Lease);
}
