using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Admitting;
using RealtimeStreams.RunRegistry.Naming;

namespace RealtimeStreams.RunRegistry.Ending;

/// <summary>Makes this node, and then the others, forget what they remember of a run.</summary>
internal sealed partial class RunChanges : IDisposable
{
    private readonly RunCache cache;
    private readonly NamedStreamCache names;
    private readonly IRegistryAnnouncements announcements;
    private readonly ILogger<RunChanges> logger;
    private readonly IDisposable subscription;

    public RunChanges(RunCache cache, NamedStreamCache names, IRegistryAnnouncements announcements, ILogger<RunChanges> logger)
    {
        this.cache = cache;
        this.names = names;
        this.announcements = announcements;
        this.logger = logger;
        subscription = announcements.Subscribe(Forget);
    }

    public async Task TellAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        Forget(environment, run);
        try
        {
            await announcements.PublishAsync(environment, run, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // The change stands, and what others remember expires.
            LogNotAnnounced(run, exception);
        }
    }

    private void Forget(EnvironmentId environment, RunId run)
    {
        cache.Forget(environment, run);
        names.Forget(environment, run);
    }

    public void Dispose() => subscription.Dispose();

    [LoggerMessage(EventId = 1403, Level = LogLevel.Warning,
        Message = "Could not announce the change of run {Run}; other servers may admit its streams until what they remember expires")]
    private partial void LogNotAnnounced(RunId run, Exception exception);
}
