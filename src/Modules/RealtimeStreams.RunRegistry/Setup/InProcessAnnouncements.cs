using System.Collections.Immutable;

namespace RealtimeStreams.RunRegistry.Setup;

/// <summary>Announcements for a server that is alone, or several in one process.</summary>
internal sealed class InProcessAnnouncements : IRegistryAnnouncements
{
    private ImmutableList<Subscription> subscriptions = [];

    public ValueTask PublishAsync(RegistryChange change, CancellationToken cancellationToken)
    {
        foreach (var subscription in Volatile.Read(ref subscriptions)) subscription.OnChanged(change);
        return ValueTask.CompletedTask;
    }

    public IDisposable Subscribe(Action<RegistryChange> onChanged)
    {
        var subscription = new Subscription(this, onChanged);
        ImmutableInterlocked.Update(ref subscriptions, (all, added) => all.Add(added), subscription);
        return subscription;
    }

    private sealed class Subscription(InProcessAnnouncements owner, Action<RegistryChange> onChanged) : IDisposable
    {
        public Action<RegistryChange> OnChanged => onChanged;

        public void Dispose() => ImmutableInterlocked.Update(ref owner.subscriptions, (all, gone) => all.Remove(gone), this);
    }
}
