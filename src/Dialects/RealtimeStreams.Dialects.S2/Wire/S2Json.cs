using System.Text.Encodings.Web;
using System.Text.Json;

namespace RealtimeStreams.Dialects.S2.Wire;

/// <summary>How the dialect writes JSON: documents of their own, never parts of HTML, so with as few escapes as JSON allows.</summary>
internal static class S2Json
{
    public static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
