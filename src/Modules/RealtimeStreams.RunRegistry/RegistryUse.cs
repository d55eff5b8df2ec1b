namespace RealtimeStreams.RunRegistry;

/// <summary>What a host wants of the registry.</summary>
public enum RegistryUse
{
    /// <summary>It serves: the default environment has this host's secret key, and changes that others make to keys are followed.</summary>
    Serving = 0,

    /// <summary>An operator's command: no key of this host's configuration or data directory is put in or replaced.</summary>
    Administering = 1,
}
