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
}
