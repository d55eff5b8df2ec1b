using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.Trigger.Requests;

namespace RealtimeStreams.Dialects.Trigger.Tokens;

/// <summary>The claims that a client puts into the public tokens that it signs by itself, with the secret key.</summary>
internal static class TellClaims
{
    public static IResult Handle(Caller caller)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("sub", caller.Environment.Value);
            json.WriteBoolean("pub", true);
            json.WriteEndObject();
        }
        return Answers.Json(body.WrittenSpan);
    }
}
