using System.Globalization;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Server.Operating;

/// <summary>An environment's settings as options of the command: times as days.hours:minutes:seconds, the rest as numbers.</summary>
internal static class SettingOptions
{
    /// <summary>What takes a setting back.</summary>
    public const string Default = "default";

    /// <summary>Reads options.</summary>
    /// <returns>The changes; or what is wrong, as a sentence that names option and bounds.</returns>
    public static (IReadOnlyDictionary<string, long?> Changes, string? Fault) Read(
        IReadOnlyList<KeyValuePair<string, string>> options, IReadOnlyList<EnvironmentSetting> settings)
    {
        Dictionary<string, long?> changes = [];
        foreach (var (option, text) in options)
        {
            if (settings.FirstOrDefault(one => one.Option == option) is not { } setting)
                return (changes, $"There is no option --{option}. There are: {string.Join(", ", settings.Select(one => $"--{one.Option}"))}.");
            if (!TryRead(setting, text, out var value))
            {
                var kind = setting.IsTime ? "a time in whole seconds" : "a whole number";
                return (changes, $"The option --{option} must be {kind} from {Tell(setting, setting.Least)} to {Tell(setting, setting.Most)}, or {Default}.");
            }
            changes[setting.Name] = value;
        }
        return (changes, null);
    }

    /// <summary>A value as it is written and read.</summary>
    public static string Tell(EnvironmentSetting setting, long value) =>
        setting.IsTime ? TimeSpan.FromSeconds(value).ToString("c", CultureInfo.InvariantCulture) : value.ToString(CultureInfo.InvariantCulture);

    private static bool TryRead(EnvironmentSetting setting, string text, out long? value)
    {
        value = null;
        if (text == Default) return true;
        if (setting.IsTime)
        {
            if (!TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time) || time.Ticks % TimeSpan.TicksPerSecond != 0) return false;
            value = (long)time.TotalSeconds;
        }
        else
        {
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
            value = number;
        }
        return setting.FindFault(value.Value) is null;
    }
}
