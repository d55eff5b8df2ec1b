using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.Retention.Sweeping;

namespace RealtimeStreams.Retention.Expiring;

/// <summary>Looks for streams of which something has expired, a bounded piece at a time, for as long as the server runs.</summary>
internal sealed partial class ExpirySweeper(Expiration expiration, IOptions<SweepOptions> options, TimeProvider clock, ILogger<ExpirySweeper> logger)
    : Looks(options.Value.ExpiryInterval, options.Value.ShortInterval, clock)
{
    protected override Task<bool> LookAsync(CancellationToken cancellationToken) => expiration.SweepAsync(cancellationToken);

    protected override void NoteUnavailable() => LogUnavailable();

    protected override void NoteFailure(Exception exception) => LogFailed(exception);

    [LoggerMessage(EventId = 1314, Level = LogLevel.Warning, Message = "The registry could not be reached; what expired waits for the next look")]
    private partial void LogUnavailable();

    [LoggerMessage(EventId = 1315, Level = LogLevel.Error, Message = "A look for what expired failed; it waits for the next")]
    private partial void LogFailed(Exception exception);
}
