namespace RealtimeStreams.RunRegistry;

/// <summary>A setting that operators may give an environment: what it is called, and what it may be.</summary>
/// <param name="Name">Its name in JSON and in the registry.</param>
/// <param name="Option">Its name as a command's option, without dashes.</param>
/// <param name="Meaning">What it says, for people.</param>
/// <param name="Least">The least value.</param>
/// <param name="Most">The greatest value.</param>
/// <param name="IsTime">Whether the value is a time in seconds.</param>
public sealed record EnvironmentSetting(string Name, string Option, string Meaning, long Least, long Most, bool IsTime = false)
{
    /// <summary>What is wrong with a value, as a sentence that names setting and bounds; null when nothing is.</summary>
    public string? FindFault(long value) => value >= Least && value <= Most ? null : Fault;

    /// <summary>The sentence that names setting and bounds.</summary>
    public string Fault => IsTime
        ? $"The field {Name} must be a whole number of seconds from {Least} to {Most} ({TimeSpan.FromSeconds(Least):c} to {TimeSpan.FromSeconds(Most):c}), or null for the server's own."
        : $"The field {Name} must be a whole number from {Least} to {Most}, or null for the server's own.";
}
