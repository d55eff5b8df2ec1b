using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>What this assembly logs. Never a chunk's body, never the key.</summary>
internal static partial class SdkLog
{
    [LoggerMessage(EventId = 3001, Level = LogLevel.Debug, Message = "{Count} chunks of {Stream} of run {Run} are acknowledged")]
    public static partial void LogAcknowledged(this ILogger logger, string run, string stream, long count);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Warning, Message = "{Operation} failed and is tried again in {Wait}: {Reason}")]
    public static partial void LogRetry(this ILogger logger, string operation, TimeSpan wait, string reason);

    [LoggerMessage(EventId = 3003, Level = LogLevel.Information, Message = "{Operation} works again after {Tries} tries")]
    public static partial void LogRecovered(this ILogger logger, string operation, int tries);

    [LoggerMessage(EventId = 3004, Level = LogLevel.Error, Message = "A pipe into {Stream} of run {Run} failed")]
    public static partial void LogPipeFailed(this ILogger logger, string run, string stream, Exception failure);

    [LoggerMessage(EventId = 3005, Level = LogLevel.Debug, Message = "The read of {Stream} of run {Run} was cut at index {Cursor}: {Reason}")]
    public static partial void LogCut(this ILogger logger, string run, string stream, long? cursor, string reason);

    [LoggerMessage(EventId = 3006, Level = LogLevel.Information, Message = "Run {Run} ended as {Outcome}")]
    public static partial void LogRunEnded(this ILogger logger, string run, Outcome outcome);

    [LoggerMessage(EventId = 3007, Level = LogLevel.Error, Message = "Run {Run} failed, and completing it failed too")]
    public static partial void LogCompletionFailed(this ILogger logger, string run, Exception failure);

    [LoggerMessage(EventId = 3016, Level = LogLevel.Debug, Message = "The AccessTokenProvider gave a token that lasts {Time}")]
    public static partial void LogTokenRenewed(this ILogger logger, TimeSpan? time);

    [LoggerMessage(EventId = 3017, Level = LogLevel.Warning, Message = "The access token could not be renewed and is used for what is left of its time: {Reason}")]
    public static partial void LogTokenNotRenewed(this ILogger logger, string reason);

    [LoggerMessage(EventId = 3018, Level = LogLevel.Debug, Message = "The read of {Stream} of run {Run} goes on at index {Cursor} with another access token")]
    public static partial void LogReadRenewed(this ILogger logger, string run, string stream, long? cursor);

    [LoggerMessage(EventId = 3008, Level = LogLevel.Information, Message = "Worker {Worker} claims runs of {Tasks}, {Most} at once")]
    public static partial void LogWorkerStarted(this ILogger logger, string worker, IEnumerable<string> tasks, int most);

    [LoggerMessage(EventId = 3009, Level = LogLevel.Information, Message = "Worker {Worker} claims no more; {Count} runs go on")]
    public static partial void LogWorkerStopping(this ILogger logger, string worker, int count);

    [LoggerMessage(EventId = 3010, Level = LogLevel.Error, Message = "Claiming failed and is tried again in {Wait}")]
    public static partial void LogClaimFailed(this ILogger logger, TimeSpan wait, Exception failure);

    [LoggerMessage(EventId = 3011, Level = LogLevel.Information, Message = "Run {Run} of the task {Task} begins, attempt {Attempt}")]
    public static partial void LogTaskRunStarted(this ILogger logger, string run, string task, int attempt);

    [LoggerMessage(EventId = 3012, Level = LogLevel.Error, Message = "Run {Run} of the task {Task} failed")]
    public static partial void LogTaskRunFailed(this ILogger logger, string run, string task, Exception? failure);

    [LoggerMessage(EventId = 3013, Level = LogLevel.Warning, Message = "Run {Run} is given up: it has ended, or is another worker's")]
    public static partial void LogTaskRunLost(this ILogger logger, string run, Exception reason);

    [LoggerMessage(EventId = 3014, Level = LogLevel.Information, Message = "Run {Run} is given back, as this worker stops")]
    public static partial void LogTaskRunReleased(this ILogger logger, string run);

    [LoggerMessage(EventId = 3015, Level = LogLevel.Error,
        Message = "The end of run {Run} could not be told to the server; once its lease has run out it is another attempt's")]
    public static partial void LogTaskRunUntold(this ILogger logger, string run, Exception failure);

    [LoggerMessage(EventId = 3020, Level = LogLevel.Information, Message = "Run {Run} is asked to stop")]
    public static partial void LogStopRequested(this ILogger logger, string run);

    [LoggerMessage(EventId = 3021, Level = LogLevel.Warning, Message = "It could not be told to the server that the request to stop run {Run} was seen")]
    public static partial void LogStopNotSeen(this ILogger logger, string run, Exception failure);

    [LoggerMessage(EventId = 3022, Level = LogLevel.Warning, Message = "Whether run {Run} is asked to stop cannot be learnt from the server now")]
    public static partial void LogStopNotWatched(this ILogger logger, string run, Exception failure);

    [LoggerMessage(EventId = 3023, Level = LogLevel.Error, Message = "What was to be called when run {Run} is asked to stop has failed")]
    public static partial void LogStopNotTold(this ILogger logger, string run, Exception failure);

    [LoggerMessage(EventId = 3024, Level = LogLevel.Error, Message = "What was to be called when a token is cancelled has failed")]
    public static partial void LogCancelledWithFailure(this ILogger logger, Exception failure);
}
