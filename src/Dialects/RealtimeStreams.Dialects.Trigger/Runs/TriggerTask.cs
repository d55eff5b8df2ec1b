using System.Buffers;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.Trigger.Requests;
using RealtimeStreams.Dialects.Trigger.Tokens;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Runs;

/// <summary>Triggers a task: registers a run that waits for a worker of the task, and hands out a token to watch it with.</summary>
internal static class TriggerTask
{
    // A payload of the registry's limit, 1 MiB, with escapes.
    private const int MaxBodyBytes = 4 * 1024 * 1024;

    private static readonly TimeSpan TokenLifetime = TimeSpan.FromHours(1);

    public static async Task<IResult> HandleAsync(
        HttpContext context, Caller caller, TaskPath path, IRunRegistry registry, IAccessTokens tokens, CancellationToken cancellationToken)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, TriggerJson.Default.TriggerBody, new TriggerBody(), MaxBodyBytes);
        if (problem is not null) return new TriggerError(problem.Value.Status == 413 ? 413 : 400, problem.Value.Detail!, problem.Value.Code);
        if (FindRegistration(context.Request, path.Task, body!, out var registration) is { } fault) return TriggerError.From(ErrorCode.InvalidRequest, fault);
        var key = KeyOf(context.Request, caller, body!, out var isRetry);
        switch (await registry.RegisterAsync(caller.Environment, registration! with { IdempotencyKey = key }, cancellationToken))
        {
            case RegisterOutcome.Refused { Refusal: var refusal }:
                return TriggerError.From(refusal);
            case RegisterOutcome.Registered { Run: var run, New: var isNew }:
                var token = await tokens.IssueAsync(
                    caller.Environment, [$"read:runs:{run.Id}", $"write:inputStreams:{run.Id}"], TokenLifetime, caller.Credential.Name, cancellationToken);
                context.Response.Headers["x-trigger-jwt"] = token.Token;
                return Answers.Json(Answer(run.Id, isCached: !isNew && !isRetry));
            default:
                throw new UnreachableException();
        }
    }

    private static string? FindRegistration(HttpRequest request, string task, TriggerBody body, out RunRegistration? registration)
    {
        registration = null;
        var options = body.Options ?? new TriggerOptions();
        if (options.FindUnsupported() is { } unsupported) return $"This server does not support {unsupported}.";
        if (!options.TryReadTags(out var tags)) return "The option tags must be a text or a list of texts.";
        if (!options.TryReadParent(out var parent)) return $"The option parentRunId {RunId.FindFault(options.ParentRunId)}.";
        if (!TryReadMetadata(options.Metadata, out var metadata)) return "The option metadata must be a JSON object.";
        var version = request.Headers[TriggerHeaders.RunStreamsVersion].ToString();
        if (version is not ("" or "v1" or "v2")) return $"The header {TriggerHeaders.RunStreamsVersion} must be v1 or v2.";
        if (!TryRead(body.Payload, options.PayloadType, out var payload, out var type))
            return "The field payload contains half a character (a surrogate without its partner), which only payloads of JSON or plain text may have.";
        registration = new RunRegistration(null, task, parent, null, tags, version == "v1" ? StreamsVersion.V1 : StreamsVersion.V2)
        {
            Triggered = true,
            Payload = payload,
            PayloadType = type,
            Metadata = metadata,
        };
        return null;
    }

    /// <summary>A payload of a type of its own is text; otherwise it is the JSON value that stands in the body.</summary>
    private static bool TryRead(JsonElement? payload, string? type, out string? text, out string? textType)
    {
        (text, textType) = (null, null);
        if (payload is not { } value) return true;
        var isText = type is not (null or Packet.Json) && value.ValueKind == JsonValueKind.String;
        if (isText && !JsonStrings.AreText(value))
        {
            // Text that was cut within a character: JavaScript has such strings, and so has JSON.
            if (type != Packet.PlainText) return false;
            isText = false;
        }
        (text, textType) = isText ? Packet.Unwrap(value.GetString()!, type!) : (value.GetRawText(), Packet.Json);
        return true;
    }

    /// <summary>Metadata is a JSON object, or the text of one.</summary>
    private static bool TryReadMetadata(JsonElement? metadata, out string? json)
    {
        json = null;
        if (metadata is { ValueKind: JsonValueKind.String } cut && !JsonStrings.AreText(cut)) return false;
        json = metadata switch
        {
            null or { ValueKind: JsonValueKind.Null } => null,
            { ValueKind: JsonValueKind.String } text => text.GetString(),
            { } value => value.GetRawText(),
        };
        if (json is null) return true;
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>What recognises the run: that its token is good for one, the caller's own key, or the key that is the same on every retry of a call.</summary>
    private static string? KeyOf(HttpRequest request, Caller caller, TriggerBody body, out bool isRetry)
    {
        isRetry = false;
        if (TokenNotes.Of(caller).OneTimeUse) return $"once:{Digest(caller.Bearer)}";
        if (body.Options?.IdempotencyKey is { Length: > 0 } key) return $"key:{Digest(key)}";
        isRetry = true;
        return RequestKey.Of(request);
    }

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static ReadOnlySpan<byte> Answer(RunId run, bool isCached)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("id", run.Value);
            json.WriteBoolean("isCached", isCached);
            json.WriteEndObject();
        }
        return body.WrittenSpan;
    }
}
