using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Streams;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Http;

namespace RealtimeStreams.Dialects.S2.Basins;

/// <summary>The account's routes as far as an environment is a basin: there is the one that the credential opens, and it is as it is.</summary>
internal static class OwnBasin
{
    public const string BasinParameter = "basin";

    // When an environment was made is not kept.
    private static readonly DateTimeOffset unknownTime = DateTimeOffset.UnixEpoch;

    public static IResult List(HttpContext context, Call call)
    {
        var name = S2Names.BasinOf(call.Environment);
        var query = context.Request.Query;
        var listed = name.StartsWith(query["prefix"].ToString(), StringComparison.Ordinal) && string.CompareOrdinal(name, query["start_after"].ToString()) > 0;
        return Answers.Object(json =>
        {
            json.WriteStartArray("basins");
            if (listed)
            {
                json.WriteStartObject();
                WriteInfo(json, name);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteBoolean("has_more", false);
        });
    }

    public static IResult Tell(HttpContext context, Call call, StreamDirectory directory) =>
        FindFault(context, call) is { } error ? Answers.Error(error) : Answers.Object(json =>
        {
            json.WriteBoolean("create_stream_on_append", true);
            json.WriteBoolean("create_stream_on_read", true);
            json.WriteStartObject("default_stream_config");
            StreamConfig.Default.Write(json, directory.RetentionOf(call.Environment));
            json.WriteEndObject();
        });

    /// <summary>PUT: succeeds for the own basin, if nothing is asked of it that it is not.</summary>
    public static async Task<IResult> EnsureAsync(HttpContext context, Call call, StreamDirectory directory)
    {
        if (FindFault(context, call) is { } error) return Answers.Error(error);
        var (document, wrong) = await RequestBody.ReadDocumentAsync(context);
        if (wrong is not null) return Answers.Error(wrong);
        using (document)
        {
            if (document is { RootElement: { ValueKind: JsonValueKind.Object } root } && root.TryGetProperty("config", out var config)
                && FindFault(config, directory.RetentionOf(call.Environment)) is { } fault)
            {
                return Answers.Error(fault);
            }
        }
        context.Response.Headers[StreamTexts.ResultHeader] = StreamTexts.Unchanged;
        return Answers.Object(json => WriteInfo(json, S2Names.BasinOf(call.Environment)));
    }

    private static S2Error? FindFault(HttpContext context, Call call)
    {
        var own = S2Names.BasinOf(call.Environment);
        return RawPath.Find(context, BasinParameter) == own
            ? null
            : S2Error.BasinNotFound($"There is no such basin; this credential opens {own}. Basins are environments, which are not made over S2.");
    }

    private static S2Error? FindFault(JsonElement config, TimeSpan retention)
    {
        if (config.ValueKind != JsonValueKind.Object) return null;
        foreach (var name in (string[])["create_stream_on_append", "create_stream_on_read"])
        {
            if (config.TryGetProperty(name, out var flag) && flag.ValueKind == JsonValueKind.False)
                return S2Error.Invalid($"The field {name} can be true, or absent: streams come into being where they are written or read.");
        }
        if (!config.TryGetProperty("default_stream_config", out var streams)) return null;
        if (StreamConfig.Default.TryChange(streams, retention, out var wanted) is { } fault) return fault;
        if (wanted.Age is { } age && age != retention)
            return S2Error.Invalid($"How long the basin's streams are kept is the operator's to say, and is {(long)retention.TotalSeconds} seconds. A stream's own configuration can say less.");
        return wanted with { StorageClass = StreamConfig.Default.StorageClass, Age = null } == StreamConfig.Default
            ? null
            : S2Error.Invalid("The default configuration of streams cannot be changed: its timestamping is client-prefer and not uncapped.");
    }

    private static void WriteInfo(Utf8JsonWriter json, string name)
    {
        json.WriteString("name", name);
        json.WriteString("created_at", unknownTime);
        json.WriteNull("deleted_at");
        json.WriteString("state", "active");
    }
}
