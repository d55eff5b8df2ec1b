using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Administration;

internal static class ListKeys
{
    public static async Task<Results<JsonHttpResult<SecretKeyList>, ProblemResult>> HandleAsync(
        EnvironmentPath path, ISecretKeys keys, CancellationToken cancellationToken) =>
        await keys.ListAsync(path.Environment, cancellationToken) is { } listed
            ? Answers.Json(listed.Tell(), WireJson.Contracts.SecretKeyList)
            : Problems.From(ErrorCode.EnvironmentNotFound, $"There is no environment {path.Environment}.");
}

internal static class AddKey
{
    public static async Task<Results<JsonHttpResult<MadeSecretKey>, ProblemResult>> HandleAsync(
        EnvironmentPath path, ISecretKeys keys, CancellationToken cancellationToken) =>
        KeyAnswers.Of(await keys.AddAsync(path.Environment, KeyAnswers.By, cancellationToken), path.Environment);
}

internal static class RotateKey
{
    private const int MaxBodyBytes = 4096;
    private const long DefaultSeconds = 3600;

    public static async Task<Results<JsonHttpResult<MadeSecretKey>, ProblemResult>> HandleAsync(
        HttpContext context, EnvironmentPath path, ISecretKeys keys, CancellationToken cancellationToken)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, NativeJson.Default.RotateSecretKey, new RotateSecretKey(), MaxBodyBytes);
        if (problem is not null) return problem;
        var seconds = body!.OverlapInSeconds ?? DefaultSeconds;
        var most = (long)ISecretKeys.MaxOverlap.TotalSeconds;
        if (seconds < 0 || seconds > most)
            return Problems.From(ErrorCode.InvalidRequest, $"The field overlapInSeconds must be a number from 0 to {most}.", "overlapInSeconds");
        var outcome = await keys.RotateAsync(path.Environment, path.Key, TimeSpan.FromSeconds(seconds), KeyAnswers.By, cancellationToken);
        return KeyAnswers.Of(outcome, path.Environment);
    }
}

internal static class RevokeKey
{
    public static async Task<Results<JsonHttpResult<SecretKeyInfo>, ProblemResult>> HandleAsync(
        EnvironmentPath path, ISecretKeys keys, CancellationToken cancellationToken) =>
        await keys.RevokeAsync(path.Environment, path.Key, KeyAnswers.By, cancellationToken) switch
        {
            SecretKeyOutcome.Revoked revoked => Answers.Json(revoked.Key.Tell(), WireJson.Contracts.SecretKeyInfo),
            SecretKeyOutcome.Refused refused => Problems.From(refused.Refusal),
            _ => throw new UnreachableException(),
        };
}

/// <summary>What the calls that make a key share.</summary>
internal static class KeyAnswers
{
    /// <summary>Who, for the audit.</summary>
    public const string By = "operator key";

    public static Results<JsonHttpResult<MadeSecretKey>, ProblemResult> Of(SecretKeyOutcome outcome, EnvironmentId environment) => outcome switch
    {
        SecretKeyOutcome.Made made => Answers.Json(made.Tell(environment), WireJson.Contracts.MadeSecretKey, StatusCodes.Status201Created),
        SecretKeyOutcome.Refused refused => Problems.From(refused.Refusal),
        _ => throw new UnreachableException(),
    };
}
