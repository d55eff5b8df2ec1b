using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DemoWorker.Chat;

/// <summary>An answer with its timing.</summary>
/// <param name="Question">What was asked.</param>
/// <param name="Model">The name that the updates give as their model.</param>
/// <param name="Updates">The answer, piece by piece.</param>
internal sealed record Recording(string Question, string Model, IReadOnlyList<RecordedUpdate> Updates)
{
    /// <summary>The one that the sample ships with.</summary>
    public static Recording Load()
    {
        using var file = Assembly.GetExecutingAssembly().GetManifestResourceStream("answer.json")!;
        return JsonSerializer.Deserialize(file, RecordingJson.Default.Recording)!;
    }
}

/// <summary>A piece of an answer.</summary>
/// <param name="AfterMs">Milliseconds since the piece before it, or since the question.</param>
/// <param name="Text">The piece.</param>
internal sealed record RecordedUpdate(int AfterMs, string Text);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(Recording))]
internal sealed partial class RecordingJson : JsonSerializerContext;
