using Microsoft.Extensions.Logging;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.ChunkLog.Forwarding;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Appending;

/// <summary>What all appenders of a process share.</summary>
internal sealed partial class AppenderParts(
    RecordPublisher publisher,
    HeadLoader heads,
    Trimmer trimmer,
    Forwarder forwarder,
    LogTelemetry telemetry,
    TimeProvider clock,
    TimeSpan confirmTimeout,
    ILogger<Appender> logger,
    CancellationToken stopping)
{
    // Random at start and counted on: two processes meet on one value with a chance of 2^-64 a record.
    private ulong lastNonce = (ulong)Random.Shared.NextInt64();

    public RecordPublisher Publisher { get; } = publisher;

    public HeadLoader Heads { get; } = heads;

    public Trimmer Trimmer { get; } = trimmer;

    public Forwarder Forwarder { get; } = forwarder;

    public LogTelemetry Telemetry { get; } = telemetry;

    public TimeProvider Clock { get; } = clock;

    public TimeSpan ConfirmTimeout { get; } = confirmTimeout;

    public CancellationToken Stopping { get; } = stopping;

    public ulong NextNonce()
    {
        var nonce = Interlocked.Increment(ref lastNonce);
        return nonce == 0 ? Interlocked.Increment(ref lastNonce) : nonce;
    }

    [LoggerMessage(EventId = 1010, Level = LogLevel.Debug, Message = "A record of {Stream} has an unknown fate: {Reason}")]
    public partial void LogUnknown(StreamAddress stream, string? reason);

    [LoggerMessage(EventId = 1011, Level = LogLevel.Error, Message = "Appending to {Stream} failed")]
    public partial void LogFailed(Exception exception, StreamAddress stream);
}
