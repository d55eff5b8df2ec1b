using System.Text.Json;
using System.Text.Json.Serialization;

namespace RealtimeStreams.Benchmarks.Reporting;

/// <summary>The run as JSON, for whoever compares runs.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(RunReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
