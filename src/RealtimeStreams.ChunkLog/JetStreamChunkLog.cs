using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using NATS.Client.Core;
using RealtimeStreams.ChunkLog.Announcing;
using RealtimeStreams.ChunkLog.Appending;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog;

/// <summary>The log on JetStream. Connects in the background, so that the process can say that it is not ready.</summary>
internal sealed partial class JetStreamChunkLog(
    IBrokerLocation location,
    IOptions<ChunkLogOptions> options,
    NodeMessages messages,
    TimeProvider clock,
    LogTelemetry telemetry,
    IHostApplicationLifetime lifetime,
    ILoggerFactory loggers,
    ILogger<JetStreamChunkLog> logger) : BackgroundService, IChunkLog
{
    private readonly ChunkLogOptions options = options.Value;
    private readonly TaskCompletionSource<LogSession> started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DurabilityClass Durability => Session?.Durability ?? throw new LogUnavailableException("The log has not started yet.");

    public int MaxChunkBytes => Session?.MaxChunkBytes ?? options.MaxChunkBytes;

    /// <summary>The connected log; null before.</summary>
    internal LogSession? Session => started.Task.IsCompletedSuccessfully ? started.Task.Result : null;

    public async Task<AppendOutcome> AppendAsync(StreamAddress stream, ChunkBatch batch, StreamLimits limits, CancellationToken cancellationToken)
    {
        if (batch.Count == 0)
        {
            batch.Dispose();
            throw new ArgumentException("A batch to be appended has chunks.", nameof(batch));
        }
        using var span = Span(stream, "append", batch.Count);
        return Ended(span, await AppendAsync(stream, Request(batch, null, limits), cancellationToken));
    }

    public async Task<CloseOutcome> CloseAsync(
        StreamAddress stream, Outcome outcome, ChunkBatch? last, StreamLimits limits, CancellationToken cancellationToken)
    {
        using var span = Span(stream, "close", last?.Count ?? 0);
        var request = Request(last, outcome, limits);
        return Ended(span, await AppendAsync(stream, request, cancellationToken)) switch
        {
            AppendOutcome.Stored stored => new CloseOutcome.Closed(stored.Next, outcome, request.WasClosed),
            AppendOutcome.Refused refused => new CloseOutcome.Refused(refused.Refusal),
            _ => throw new UnreachableException(),
        };
    }

    public async Task<StreamSummary?> FindAsync(StreamAddress stream, CancellationToken cancellationToken)
    {
        var session = await SessionAsync(cancellationToken);
        return await session.Lookup.FindAsync(SubjectMap.Of(stream), cancellationToken);
    }

    public async Task<ChunkIndex?> FindByTimestampAsync(StreamAddress stream, long unixMilliseconds, CancellationToken cancellationToken)
    {
        var session = await SessionAsync(cancellationToken);
        return await session.Lookup.FindByTimestampAsync(SubjectMap.Of(stream), unixMilliseconds, cancellationToken);
    }

    public async Task<StreamExpiry?> ExpireAsync(StreamAddress stream, DateTimeOffset cutOff, CancellationToken cancellationToken)
    {
        using var span = Span(stream, "expire", 0);
        return await (await SessionAsync(cancellationToken)).Expiry.ExpireAsync(stream, cutOff, cancellationToken);
    }

    public async Task EraseAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        var session = await SessionAsync(cancellationToken);
        await session.EraseAsync(environment, run, cancellationToken);
    }

    public async ValueTask<IStreamTail> OpenTailAsync(StreamAddress stream, CancellationToken cancellationToken) =>
        await (await SessionAsync(cancellationToken)).Hubs.OpenAsync(stream, cancellationToken);

    public async Task<IReadOnlyList<LogRecord>> ReadStoredAsync(
        StreamAddress stream, ChunkIndex cursor, LogRecord? after, CancellationToken cancellationToken)
    {
        var session = await SessionAsync(cancellationToken);
        var place = SubjectMap.Of(stream);
        var sequence = after is not null && after.NextIndex == cursor
            ? after.Sequence + 1
            : await session.Seek.FindAsync(place, cursor, cancellationToken);
        if (sequence is not { } from) return [];
        while (true)
        {
            var records = await session.Gets.ReadAsync(place, from, cancellationToken);
            // A replica that lags, or one record larger than a batch may be.
            if (records.Count == 0) return await session.Gets.FindNextFreshAsync(place, from, cancellationToken) is { } next ? [next] : [];
            if (records.Any(record => record.NextIndex > cursor || record.End is not null)) return records;
            from = records[^1].Sequence + 1; // Many that only tell what expired, one after the other.
        }
    }

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (Session is { } session) await session.DisposeAsync();
        started.TrySetException(new LogUnavailableException("The log has stopped."));
        _ = started.Task.Exception; // Nobody needs to have asked.
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var attempt = 0; !stoppingToken.IsCancellationRequested; attempt++)
        {
            try
            {
                var session = await LogSession.StartAsync(await location.GetAsync(stoppingToken), options, messages, clock, telemetry, loggers, lifetime.ApplicationStopping);
                started.TrySetResult(session);
                LogStarted(session.Durability.Name, session.Durability.Description, session.MaxChunkBytes);
                return;
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is NatsException or TimeoutException or OperationCanceledException or IOException)
            {
                LogNotYet(exception.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(5000, 100 << Math.Min(attempt, 6))), clock, stoppingToken);
            }
            catch (Exception exception)
            {
                // Another layout, an old broker, no nats-server to be had: waiting does not cure it.
                LogCannotStart(exception);
                started.TrySetException(exception);
                lifetime.StopApplication();
                throw;
            }
        }
    }

    private async Task<AppendOutcome> AppendAsync(StreamAddress stream, AppendRequest request, CancellationToken cancellationToken)
    {
        LogSession session;
        try
        {
            session = await SessionAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            request.Batch?.Dispose();
            if (exception is not LogUnavailableException) throw;
            return new AppendOutcome.Refused(new Refusal(ErrorCode.LogUnavailable with { MayHaveWritten = false }, "The broker is not connected. Nothing was stored."));
        }
        if (request.Bytes > session.MaxChunkBytes)
        {
            // The broker would cut the connection, which all streams of this server share.
            request.Batch?.Dispose();
            return new AppendOutcome.Refused(new Refusal(
                ErrorCode.ChunkTooLarge, string.Create(CultureInfo.InvariantCulture, $"The batch has {request.Bytes} bytes; at most {session.MaxChunkBytes} are allowed.")));
        }
        return await session.Appenders.AppendAsync(stream, request, cancellationToken);
    }

    private static Activity? Span(StreamAddress stream, string operation, int chunks) =>
        LogTelemetry.Activities.StartActivity(operation)
            ?.SetTag("realtimestreams.run", stream.Run.Value)
            .SetTag("realtimestreams.stream", stream.Key.Value)
            .SetTag("messaging.batch.message_count", chunks);

    private static AppendOutcome Ended(Activity? span, AppendOutcome outcome)
    {
        if (outcome is AppendOutcome.Refused refused) span?.SetTag("error.type", refused.Refusal.Code.Code);
        return outcome;
    }

    private AppendRequest Request(ChunkBatch? batch, Outcome? end, StreamLimits limits)
    {
        if (FindFault(batch) is { } fault)
        {
            batch!.Dispose();
            throw new ArgumentException(fault, nameof(batch));
        }
        return new AppendRequest(batch, end, limits, clock.GetUtcNow(), clock.GetTimestamp());
    }

    private static string? FindFault(ChunkBatch? batch) => batch switch
    {
        null => null,
        { FirstSequence: < 0 } => "A sequence is 0 or more.",
        { Trim: { Index: < 0 } or { Position: < 0 } } => "A trim point is 0 or more.",
        { Trim: { } trim } when trim.Position >= batch.Count => "A trim point belongs to a chunk of the batch.",
        _ when Encoding.UTF8.GetByteCount(batch.IdempotencyKey ?? "") > ChunkBatch.MaxKeyBytes => $"An idempotency key has at most {ChunkBatch.MaxKeyBytes} bytes.",
        _ when Encoding.UTF8.GetByteCount(batch.NewFencingToken ?? "") > ChunkBatch.MaxTokenBytes => $"A fencing token has at most {ChunkBatch.MaxTokenBytes} bytes.",
        _ => null,
    };

    private async ValueTask<LogSession> SessionAsync(CancellationToken cancellationToken)
    {
        if (Session is { } session) return session;
        try
        {
            return await started.Task.WaitAsync(options.ConfirmTimeout, clock, cancellationToken);
        }
        catch (TimeoutException exception)
        {
            throw new LogUnavailableException("The log has not started yet: the broker is not there.", exception);
        }
    }

    [LoggerMessage(EventId = 1004, Level = LogLevel.Information, Message = "The log is ready; durability {Durability}: {Description} A chunk may have {MaxChunkBytes} bytes")]
    private partial void LogStarted(string durability, string description, int maxChunkBytes);

    [LoggerMessage(EventId = 1005, Level = LogLevel.Warning, Message = "The broker cannot be reached yet: {Reason}")]
    private partial void LogNotYet(string reason);

    [LoggerMessage(EventId = 1006, Level = LogLevel.Critical, Message = "The log cannot start")]
    private partial void LogCannotStart(Exception exception);
}
