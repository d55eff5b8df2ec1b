using System.Globalization;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Server.Hosting;

/// <summary>Carries the registry's announcements to all servers on the same broker.</summary>
internal sealed class Announcements(INodeMessages messages) : IRegistryAnnouncements
{
    private const string Topic = "run-changed";

    public ValueTask PublishAsync(RegistryChange change, CancellationToken cancellationToken) =>
        messages.PublishAsync(Topic, Write(change), cancellationToken);

    public IDisposable Subscribe(Action<RegistryChange> onChanged) => messages.Subscribe(Topic, message =>
    {
        if (TryRead(message, out var change)) onChanged(change);
    });

    // Neither ids nor task ids have control characters.
    private static string Write(RegistryChange change) =>
        string.Create(CultureInfo.InvariantCulture, $"{change.Environment}\n{change.Run}\n{(int)change.Kind}\n{change.TaskId}");

    private static bool TryRead(string message, out RegistryChange change)
    {
        change = default;
        if (message.Split('\n') is not [var first, var second, var third, var task]
            || !EnvironmentId.TryParse(first, null, out var environment)
            || !int.TryParse(third, NumberStyles.None, CultureInfo.InvariantCulture, out var kind)
            || !Enum.IsDefined((RegistryChangeKind)kind)) return false;
        RunId run = default;
        var isOfNoRun = (RegistryChangeKind)kind is RegistryChangeKind.CredentialsChanged or RegistryChangeKind.TokensRevoked;
        if (isOfNoRun ? second.Length > 0 : !RunId.TryParse(second, null, out run)) return false;
        change = new RegistryChange((RegistryChangeKind)kind, environment, run, task.Length == 0 ? null : task);
        return true;
    }
}
