using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.Retention.Sweeping;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Retention.Receipts;

/// <summary>Removes the receipts of erasures that were kept for long enough, which are days: a look every ten minutes is enough.</summary>
internal sealed partial class ReceiptSweeper(IErasures erasures, IOptions<SweepOptions> options, TimeProvider clock, ILogger<ReceiptSweeper> logger)
    : Looks(Interval, options.Value.ShortInterval, clock)
{
    private const int Most = 500;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    protected override async Task<bool> LookAsync(CancellationToken cancellationToken) => await erasures.SweepAsync(Most, cancellationToken) == Most;

    protected override void NoteUnavailable() => LogUnavailable();

    protected override void NoteFailure(Exception exception) => LogFailed(exception);

    [LoggerMessage(EventId = 1316, Level = LogLevel.Warning, Message = "The registry could not be reached; old receipts of erasures wait for the next look")]
    private partial void LogUnavailable();

    [LoggerMessage(EventId = 1317, Level = LogLevel.Error, Message = "A look for old receipts of erasures failed; they wait for the next")]
    private partial void LogFailed(Exception exception);
}
