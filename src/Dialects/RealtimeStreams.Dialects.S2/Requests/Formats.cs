using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Http;

namespace RealtimeStreams.Dialects.S2.Requests;

/// <summary>How a client wants records written.</summary>
internal static class Formats
{
    private const string Header = "s2-format";

    public static bool WantsProtobuf(HttpRequest request) => Accepts(request, Answers.Protobuf);

    public static bool Accepts(HttpRequest request, string mediaType)
    {
        foreach (var accept in request.Headers.Accept)
        {
            if (accept is not null && accept.Contains(mediaType, StringComparison.OrdinalIgnoreCase)) return true;
        }
        return false;
    }

    /// <summary>Whether JSON's strings are base64, by the header <c>s2-format</c>.</summary>
    public static S2Error? ReadBase64(HttpRequest request, out bool base64)
    {
        var format = request.Headers[Header].ToString();
        base64 = format is "base64" or "json-binsafe";
        return base64 || format is "" or "raw" or "json"
            ? null
            : S2Error.BadHeader($"The header {Header} is {MediaTypes.Shorten(format)}; it must be raw or base64.");
    }
}
