using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Admitting;
using RealtimeStreams.RunRegistry.Counting;
using RealtimeStreams.RunRegistry.Naming;
using RealtimeStreams.RunRegistry.Stopping;
using RealtimeStreams.RunRegistry.Watching;

namespace RealtimeStreams.RunRegistry.Ending;

/// <summary>Tells this node, and then the others, what happened to a run: they forget what they remember of it, and wake who waits for it.</summary>
internal sealed partial class RunChanges : IDisposable
{
    private readonly RunCache cache;
    private readonly NamedStreamCache names;
    private readonly RunSignals signals;
    private readonly StopWatches stops;
    private readonly OpenRunLimit openRuns;
    private readonly IRegistryAnnouncements announcements;
    private readonly ILogger<RunChanges> logger;
    private readonly IDisposable subscription;

    public RunChanges(
        RunCache cache, NamedStreamCache names, RunSignals signals, StopWatches stops, OpenRunLimit openRuns, IRegistryAnnouncements announcements, ILogger<RunChanges> logger)
    {
        this.cache = cache;
        this.names = names;
        this.signals = signals;
        this.stops = stops;
        this.openRuns = openRuns;
        this.announcements = announcements;
        this.logger = logger;
        subscription = announcements.Subscribe(Take);
    }

    public async Task TellAsync(RegistryChange change, CancellationToken cancellationToken)
    {
        Take(change);
        try
        {
            await announcements.PublishAsync(change, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // The change stands, what others remember expires, and who waits there looks by himself after a while.
            if (change.Kind == RegistryChangeKind.Changed) LogNotAnnounced(change.Run, exception);
            else LogNotWoken(change.Run, exception);
        }
    }

    private void Take(RegistryChange change)
    {
        if (change.Kind == RegistryChangeKind.CredentialsChanged) return; // Of no run.
        if (change.Kind == RegistryChangeKind.Changed)
        {
            cache.Forget(change.Environment, change.Run);
            names.Forget(change.Environment, change.Run);
            openRuns.NoteRoom(change.Environment);
        }
        if (change.Kind == RegistryChangeKind.StopRequested) stops.LookSoon(change.Environment, change.Run);
        signals.Wake(change);
    }

    public void Dispose() => subscription.Dispose();

    [LoggerMessage(EventId = 1403, Level = LogLevel.Warning,
        Message = "Could not announce the change of run {Run}; other servers may admit its streams until what they remember expires")]
    private partial void LogNotAnnounced(RunId run, Exception exception);

    [LoggerMessage(EventId = 1416, Level = LogLevel.Debug, Message = "Could not announce what happened to run {Run}; who waits for it on other servers looks later")]
    private partial void LogNotWoken(RunId run, Exception exception);
}
