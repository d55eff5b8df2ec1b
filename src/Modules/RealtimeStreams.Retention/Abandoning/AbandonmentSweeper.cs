using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.Retention.Sweeping;

namespace RealtimeStreams.Retention.Abandoning;

/// <summary>Looks for streams whose writers are gone, a bounded piece at a time, for as long as the server runs.</summary>
internal sealed partial class AbandonmentSweeper(Abandonment abandonment, IOptions<SweepOptions> options, TimeProvider clock, ILogger<AbandonmentSweeper> logger)
    : Looks(options.Value.LeaseInterval, options.Value.ShortInterval, clock)
{
    protected override Task<bool> LookAsync(CancellationToken cancellationToken) => abandonment.SweepAsync(cancellationToken);

    protected override void NoteUnavailable() => LogUnavailable();

    protected override void NoteFailure(Exception exception) => LogFailed(exception);

    [LoggerMessage(EventId = 1307, Level = LogLevel.Warning, Message = "The registry could not be reached; abandoned streams wait for the next look")]
    private partial void LogUnavailable();

    [LoggerMessage(EventId = 1308, Level = LogLevel.Error, Message = "A look for abandoned streams failed; they wait for the next")]
    private partial void LogFailed(Exception exception);
}
