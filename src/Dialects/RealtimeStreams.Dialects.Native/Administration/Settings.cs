using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Administration;

internal static class InspectEnvironment
{
    public static async Task<Results<JsonHttpResult<EnvironmentInfo>, ProblemResult>> HandleAsync(
        EnvironmentPath path, IEnvironments environments, CancellationToken cancellationToken) =>
        await environments.FindAsync(path.Environment, cancellationToken) is { } found
            ? Answers.Json(found.Tell(), WireJson.Contracts.EnvironmentInfo)
            : Problems.From(ErrorCode.EnvironmentNotFound, $"There is no environment {path.Environment}.");
}

/// <summary>Changes an environment's settings by a merge patch (RFC 7396): what is named is set, what is null is taken back, the rest stays.</summary>
internal static class ChangeSettings
{
    private const int MaxBodyBytes = 4096;

    public static async Task<Results<JsonHttpResult<EnvironmentInfo>, ProblemResult>> HandleAsync(
        HttpContext context, EnvironmentPath path, IEnvironmentSettings settings, CancellationToken cancellationToken)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, NativeJson.Default.DictionaryStringJsonElement, [], MaxBodyBytes, "application/merge-patch+json");
        if (problem is not null) return problem;
        var changes = new Dictionary<string, long?>(StringComparer.Ordinal);
        foreach (var (name, value) in body!)
        {
            if (value.ValueKind == JsonValueKind.Null) changes[name] = null;
            else if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)) changes[name] = number;
            else if (settings.All.FirstOrDefault(one => one.Name == name) is { } setting) return Problems.From(ErrorCode.InvalidRequest, setting.Fault, name);
            else changes[name] = null; // Refused below, by its name.
        }
        return await settings.ChangeAsync(path.Environment, changes, KeyAnswers.By, cancellationToken) switch
        {
            EnvironmentSettingsOutcome.Changed changed => Answers.Json(changed.Environment.Tell(), WireJson.Contracts.EnvironmentInfo),
            EnvironmentSettingsOutcome.Refused refused => Problems.From(refused.Refusal, refused.Field),
            _ => throw new UnreachableException(),
        };
    }
}
