using System.Text.Encodings.Web;
using System.Text.Json;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Http;

/// <summary>The contracts of <see cref="NativeJson"/>, written with as few escapes as JSON allows: answers are JSON documents, never parts of HTML.</summary>
public static class WireJson
{
    /// <summary>The contracts.</summary>
    public static NativeJson Contracts { get; } =
        new(new JsonSerializerOptions(NativeJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
