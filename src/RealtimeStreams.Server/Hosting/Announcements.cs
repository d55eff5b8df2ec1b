using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Server.Hosting;

/// <summary>Carries the registry's announcements to all servers on the same broker.</summary>
internal sealed class Announcements(INodeMessages messages) : IRegistryAnnouncements
{
    private const string Topic = "run-changed";

    public ValueTask PublishAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken) =>
        messages.PublishAsync(Topic, $"{environment}\n{run}", cancellationToken); // Ids have no control characters.

    public IDisposable Subscribe(Action<EnvironmentId, RunId> onChanged) => messages.Subscribe(Topic, message =>
    {
        if (message.Split('\n') is [var first, var second]
            && EnvironmentId.TryParse(first, null, out var environment)
            && RunId.TryParse(second, null, out var run))
        {
            onChanged(environment, run);
        }
    });
}
