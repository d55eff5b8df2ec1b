using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using RealtimeStreams.Http;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Runs;

/// <summary>A run as a row of the run subscription: texts in PostgreSQL's notation, and the columns' types beside them.</summary>
internal sealed class RunRow
{
    // Without these the client cannot make a run of the row, or does not see that it has ended.
    private static readonly HashSet<string> Needed = ["id", "friendlyId", "taskIdentifier", "status", "createdAt", "updatedAt", "completedAt"];

    private static readonly (string Name, string Type, bool IsArray, Func<RunView, string?> Of)[] Columns =
    [
        ("id", "text", false, view => view.Run.Id.Value),
        ("friendlyId", "text", false, view => view.Run.Id.Value),
        ("taskIdentifier", "text", false, view => view.Run.TaskId ?? ""),
        ("status", "text", false, view => RunStatuses.ToRow(view.Run)),
        ("createdAt", "timestamp", false, view => Time(view.Run.CreatedAt)),
        ("updatedAt", "timestamp", false, view => Time(view.UpdatedAt)),
        ("startedAt", "timestamp", false, view => Time(view.StartedAt)),
        ("completedAt", "timestamp", false, view => Time(view.Run.CompletedAt)),
        ("queuedAt", "timestamp", false, view => view.Run.Triggered ? Time(view.Run.CreatedAt) : null),
        ("isTest", "bool", false, _ => "f"),
        ("usageDurationMs", "int4", false, view => view.DurationMilliseconds.ToString(CultureInfo.InvariantCulture)),
        ("costInCents", "float8", false, _ => "0"),
        ("baseCostInCents", "float8", false, _ => "0"),
        ("payload", "text", false, view => view.Run.Payload),
        ("payloadType", "text", false, view => view.Run.Payload is null ? null : view.Run.PayloadType ?? Packet.Json),
        ("metadata", "text", false, view => view.Run.Metadata),
        ("metadataType", "text", false, view => view.Run.Metadata is null ? null : Packet.Json),
        ("output", "text", false, view => view.Run.Output),
        ("outputType", "text", false, view => view.Run.Output is null ? null : view.Run.OutputType ?? Packet.Json),
        ("runTags", "text", true, view => Array(view.Run.Tags)),
        ("error", "jsonb", false, view => Error(view.Run.Error)),
        ("realtimeStreams", "text", true, view => Array(view.Streams)),
    ];

    private readonly RunView view;
    private readonly byte[] value;

    private RunRow(RunView view, byte[] value, string offset)
    {
        this.view = view;
        this.value = value;
        Offset = offset;
    }

    /// <summary>The run.</summary>
    public Run Run => view.Run;

    /// <summary>Names the row's content: when it changed last, and a digest of it. Another content has another offset.</summary>
    public string Offset { get; }

    /// <summary>Names the run for as long as it is there; a run of the same id that is registered later has another one.</summary>
    public string Handle => string.Create(CultureInfo.InvariantCulture, $"{view.Run.CreatedAt.UtcTicks}-{Digest(Encoding.UTF8.GetBytes(view.Run.Id.Value))}");

    /// <summary>Makes the row.</summary>
    /// <param name="view">The run.</param>
    /// <param name="skipped">Columns that the client does not want.</param>
    public static RunRow Of(RunView view, IReadOnlySet<string> skipped)
    {
        var body = new ArrayBufferWriter<byte>(1024);
        using (var json = NewWriter(body))
        {
            json.WriteStartObject();
            foreach (var (name, _, _, of) in Columns)
                if (IsWanted(name, skipped)) json.WriteString(name, of(view));
            json.WriteEndObject();
        }
        var value = body.WrittenSpan.ToArray();
        return new RunRow(view, value, string.Create(CultureInfo.InvariantCulture, $"{view.UpdatedAt.ToUnixTimeMilliseconds()}_{Digest(value)}"));
    }

    /// <summary>The types of the columns.</summary>
    public static string Schema(IReadOnlySet<string> skipped)
    {
        var body = new ArrayBufferWriter<byte>(1024);
        using (var json = NewWriter(body))
        {
            json.WriteStartObject();
            foreach (var (name, type, isArray, _) in Columns)
            {
                if (!IsWanted(name, skipped)) continue;
                json.WriteStartObject(name);
                json.WriteString("type", type);
                if (isArray) json.WriteNumber("dims", 1);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return Encoding.ASCII.GetString(body.WrittenSpan);
    }

    /// <summary>Writes a message with the whole row.</summary>
    public void Write(Utf8JsonWriter json, string operation)
    {
        json.WriteStartObject();
        json.WriteString("key", $"\"public\".\"TaskRun\"/\"{view.Run.Id.Value}\"");
        json.WritePropertyName("value");
        json.WriteRawValue(value, skipInputValidation: true);
        json.WriteStartObject("headers");
        json.WriteString("operation", operation);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static Utf8JsonWriter NewWriter(IBufferWriter<byte> output) =>
        new(output, new JsonWriterOptions { Encoder = WireJson.Contracts.Options.Encoder });

    private static bool IsWanted(string column, IReadOnlySet<string> skipped) => Needed.Contains(column) || !skipped.Contains(column);

    // The client puts the Z behind it.
    private static string? Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff", CultureInfo.InvariantCulture);

    private static string Array(IEnumerable<string> texts) =>
        "{" + string.Join(',', texts.Select(text => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"")) + "}";

    private static string? Error(string? error)
    {
        if (error is null) return null;
        var body = new ArrayBufferWriter<byte>();
        using (var json = NewWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("type", "STRING_ERROR");
            json.WriteString("raw", error);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(body.WrittenSpan);
    }

    // 32 bits: enough to tell one content from the one before it.
    private static uint Digest(ReadOnlySpan<byte> bytes)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, digest);
        return BitConverter.ToUInt32(digest);
    }
}
