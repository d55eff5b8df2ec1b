using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RealtimeStreams.Dialects.Native;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Server.Operating;

/// <summary>Says what a command came to, in lines for people or in the JSON that the admin API gives.</summary>
internal sealed class EnvironmentsAnswer(TextWriter output, bool json)
{
    public Task WriteAsync(IReadOnlyList<EnvironmentEntry> environments) => json
        ? WriteJsonAsync(environments.Tell(), WireJson.Contracts.EnvironmentList)
        : WriteTableAsync(
            ["ENVIRONMENT", "MADE", "VALID KEYS"],
            environments.Select(one => (string[])[one.Id.Value, Time(one.CreatedAt), one.ValidKeys.ToString(CultureInfo.InvariantCulture)]));

    public Task WriteAsync(EnvironmentEntry environment, IReadOnlyList<EnvironmentSetting> settings) => json
        ? WriteJsonAsync(environment.Tell(), WireJson.Contracts.EnvironmentInfo)
        : WriteTableAsync(
            ["OPTION", "VALUE", "FROM", "TO", "MEANING"],
            settings.Select(setting => (string[])
            [
                $"--{setting.Option}",
                environment.Settings.TryGetValue(setting.Name, out var value) ? SettingOptions.Tell(setting, value) : SettingOptions.Default,
                SettingOptions.Tell(setting, setting.Least),
                SettingOptions.Tell(setting, setting.Most),
                setting.Meaning,
            ]));

    public Task WriteAsync(IReadOnlyList<SecretKeyEntry> keys) => json
        ? WriteJsonAsync(keys.Tell(), WireJson.Contracts.SecretKeyList)
        : WriteTableAsync(
            ["KEY", "BEGINS WITH", "ORIGIN", "STATE", "MADE", "ROTATED", "EXPIRES"],
            keys.Select(key => (string[])
            [
                key.Id, key.Prefix ?? "?", key.Origin.Tell(), State(key), Time(key.CreatedAt), Time(key.RotatedAt), Time(key.RevokedAt ?? key.ExpiresAt),
            ]));

    public async Task WriteAsync(EnvironmentId environment, SecretKeyOutcome.Made made)
    {
        if (json)
        {
            await WriteJsonAsync(made.Tell(environment), WireJson.Contracts.MadeSecretKey);
            return;
        }
        await output.WriteLineAsync($"Secret key {made.Key.Id} of {environment}, shown this once:");
        await output.WriteLineAsync();
        await output.WriteLineAsync($"  {made.Secret}");
        await output.WriteLineAsync();
        if (made.Replaced is { IsValid: true } replaced) await output.WriteLineAsync($"{replaced.Id} stays valid until {Time(replaced.ExpiresAt)}.");
        else if (made.Replaced is { } gone) await output.WriteLineAsync($"{gone.Id} opens nothing any more.");
        await output.WriteLineAsync("Servers that run take it within a second.");
    }

    public Task WriteAsync(SecretKeyOutcome.Revoked revoked) => json
        ? WriteJsonAsync(revoked.Key.Tell(), WireJson.Contracts.SecretKeyInfo)
        : output.WriteLineAsync($"{revoked.Key.Id} is revoked since {Time(revoked.Key.RevokedAt)}, and with it every token that it signed. Servers that run follow within a second.");

    private static string State(SecretKeyEntry key) => key switch
    {
        { RevokedAt: not null } => "revoked",
        { IsValid: false } => "expired",
        { RotatedAt: not null } => "rotated",
        _ => "valid",
    };

    private static string Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "-";

    private Task WriteJsonAsync<T>(T value, JsonTypeInfo<T> contract) => output.WriteLineAsync(JsonSerializer.Serialize(value, contract));

    private async Task WriteTableAsync(string[] head, IEnumerable<string[]> rows)
    {
        List<string[]> all = [head, .. rows];
        var widths = head.Select((_, column) => all.Max(row => row[column].Length)).ToArray();
        foreach (var row in all)
            await output.WriteLineAsync(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }
}
