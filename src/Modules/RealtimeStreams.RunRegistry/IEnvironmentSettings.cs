using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>What operators have set for environments. What is changed here all servers of the registry follow within a second.</summary>
public interface IEnvironmentSettings
{
    /// <summary>All settings that there are, in the order in which they are told.</summary>
    IReadOnlyList<EnvironmentSetting> All { get; }

    /// <summary>An environment's settings, from memory: for every request. While the database is away they are those that were seen last.</summary>
    /// <returns><see cref="EnvironmentSettings.None"/> also for an environment that is not there.</returns>
    EnvironmentSettings Find(EnvironmentId environment);

    /// <summary>Changes settings, all that are named or none.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="changes">New values by <see cref="EnvironmentSetting.Name"/>; null takes the setting back, so that the server's own counts. What is not named stays.</param>
    /// <param name="by">Who asks, for the log.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns><see cref="EnvironmentSettingsOutcome.Changed"/>, or a refusal: no such environment, no such setting, or a value out of its bounds.</returns>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached. The settings may have been changed.</exception>
    Task<EnvironmentSettingsOutcome> ChangeAsync(
        EnvironmentId environment, IReadOnlyDictionary<string, long?> changes, string by, CancellationToken cancellationToken);
}
