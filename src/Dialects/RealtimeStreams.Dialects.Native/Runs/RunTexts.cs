using System.Text.Json;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

/// <summary>A run as it is told.</summary>
internal static class RunTexts
{
    /// <summary>The media type of payloads and outputs that come through this dialect; not told, as it goes without saying.</summary>
    public const string Json = "application/json";

    // One level less than a client of ours reads by default: it lies in the run.
    private static readonly JsonDocumentOptions toldDepth = new() { MaxDepth = 63 };

    public static RunInfo Tell(this Run run, DateTimeOffset now, IReadOnlyList<StreamInfo>? streams = null, TimeSpan? retention = null) => new(
        run.Id.Value,
        run.TaskId,
        run.Parent?.Value,
        run.Root?.Value,
        run.Tags,
        run.Status,
        run.StreamsVersion,
        run.Error,
        run.CreatedAt,
        run.CompletedAt,
        streams)
    {
        Phase = FindPhase(run, now),
        RetentionInSeconds = (long?)retention?.TotalSeconds,
        Bytes = streams?.Sum(stream => stream.Bytes),
        Attempt = run.Triggered ? run.Attempt : null,
        Worker = run.Worker,
        LeaseUntil = run.LeaseUntil,
        StartedAt = run.StartedAt,
        StopRequested = StopTelling.Notice(run.Stop),
        Payload = TellData(run.Payload, run.PayloadType),
        PayloadType = run.PayloadType == Json ? null : run.PayloadType,
        Output = TellData(run.Output, run.OutputType),
        OutputType = run.OutputType == Json ? null : run.OutputType,
    };

    public static Refusal NotFound(RunId run) => new(ErrorCode.RunNotFound, $"There is no run {run}.");

    /// <summary>A run whose lease ran out, or that was given back, waits for a worker again.</summary>
    private static RunPhase? FindPhase(Run run, DateTimeOffset now)
    {
        if (run.Status != RunStatus.Open) return null;
        return run.IsQueued || run.LeaseUntil <= now ? RunPhase.Queued : RunPhase.Executing;
    }

    /// <summary>JSON as it is, anything else as a text.</summary>
    private static JsonElement? TellData(string? data, string? type)
    {
        if (data is null) return null;
        if (type is null or Json || type.EndsWith("+json", StringComparison.Ordinal))
        {
            try
            {
                return JsonElement.Parse(data, toldDepth);
            }
            catch (JsonException)
            {
                // Another dialect's client said so of something else, or it is nested too deeply.
            }
        }
        return JsonSerializer.SerializeToElement(data, NativeJson.Default.String);
    }
}
