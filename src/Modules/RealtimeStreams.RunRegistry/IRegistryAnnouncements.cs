using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Tells the nodes what happened to a run, so that they forget what they remember of it, and wake those who wait for it.</summary>
/// <remarks>Best effort: what is missed expires by itself. The default reaches only this process; a server with several nodes registers its own.</remarks>
public interface IRegistryAnnouncements
{
    /// <summary>Tells all nodes. A failure is thrown, logged by the registry and changes nothing else.</summary>
    ValueTask PublishAsync(RegistryChange change, CancellationToken cancellationToken);

    /// <summary>Has <paramref name="onChanged"/> called for every announcement, possibly this node's own too, until the result is disposed.</summary>
    /// <param name="onChanged">Does not block and does not throw.</param>
    IDisposable Subscribe(Action<RegistryChange> onChanged);
}

/// <summary>What happened to a run, or to an environment's credentials.</summary>
/// <param name="Kind">What.</param>
/// <param name="Environment">Its tenant.</param>
/// <param name="Run">The run; unset where the kind says so.</param>
/// <param name="TaskId">Its task, where the kind says so.</param>
public readonly record struct RegistryChange(RegistryChangeKind Kind, EnvironmentId Environment, RunId Run, string? TaskId = null);

/// <summary>Kinds of changes. The numbers travel between servers.</summary>
public enum RegistryChangeKind
{
    /// <summary>It ended or was erased, or its named stream changed: what is remembered of it is not true any more.</summary>
    Changed = 0,

    /// <summary>It was claimed or got a new stream: what is remembered of it stays true.</summary>
    Progressed = 1,

    /// <summary>It was triggered and waits for a worker; <see cref="RegistryChange.TaskId"/> says for whose.</summary>
    Triggered = 2,

    /// <summary>Keys of the environment were made, rotated or revoked: what is remembered of credentials is not true any more. Of no run.</summary>
    CredentialsChanged = 3,

    /// <summary>Tokens of the environment were revoked; which ones is in the database. Of no run.</summary>
    TokensRevoked = 4,

    /// <summary>Somebody has asked the run to stop: what is remembered of it stays true.</summary>
    StopRequested = 5,
}
