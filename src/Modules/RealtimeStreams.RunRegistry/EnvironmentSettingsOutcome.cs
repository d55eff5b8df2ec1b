using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>What a change of an environment's settings came to.</summary>
public abstract record EnvironmentSettingsOutcome
{
    private EnvironmentSettingsOutcome()
    {
    }

    /// <summary>The settings are stored, or were so already.</summary>
    /// <param name="Environment">The environment as it is now.</param>
    public sealed record Changed(EnvironmentEntry Environment) : EnvironmentSettingsOutcome;

    /// <summary>Nothing was changed.</summary>
    /// <param name="Refusal">Why.</param>
    /// <param name="Field">The setting at fault, if one is.</param>
    public sealed record Refused(Refusal Refusal, string? Field = null) : EnvironmentSettingsOutcome;
}
