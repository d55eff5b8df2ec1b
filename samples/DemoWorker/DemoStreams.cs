using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;
using RealtimeStreams.Sdk;

namespace DemoWorker;

/// <summary>The streams that the sample writes. Whoever reads them from .NET shares these definitions.</summary>
internal static class DemoStreams
{
    /// <summary>The answer, as the model sends it.</summary>
    public static readonly RealtimeStream<ChatResponseUpdate> Answer = RealtimeStream.Define<ChatResponseUpdate>("answer");

    /// <summary>How far the answer is.</summary>
    public static readonly RealtimeStream<Progress> Progress = RealtimeStream.Define("progress", DemoJson.Default.Progress);

    /// <summary>What happened, for people.</summary>
    public static readonly RealtimeStream<string> Log = RealtimeStream.Define<string>("log");
}

/// <summary>How far an answer is.</summary>
/// <param name="Step">What is being done.</param>
/// <param name="Updates">How many updates the model has sent.</param>
/// <param name="Characters">How long the answer is by now.</param>
internal sealed record Progress(string Step, int Updates, int Characters);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Progress))]
internal sealed partial class DemoJson : JsonSerializerContext;
