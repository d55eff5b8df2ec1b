using Microsoft.AspNetCore.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Trigger.Requests;

/// <summary>Reads bodies that have to be in memory as a whole.</summary>
internal static class SmallBody
{
    /// <summary>Reads the body.</summary>
    /// <returns>Its bytes; null when it has more than <paramref name="maxBytes"/>, with why it is refused.</returns>
    public static async Task<(byte[]? Bytes, Refusal? Refusal)> ReadAsync(HttpRequest request, int maxBytes, CancellationToken cancellationToken)
    {
        var most = $"The body has more than {maxBytes} bytes, the most that is taken here.";
        if (request.ContentLength > maxBytes) return (null, new Refusal(ErrorCode.BodyTooLarge, most));
        using var body = new MemoryStream((int)(request.ContentLength ?? 0));
        var buffer = new byte[4096];
        int count;
        while ((count = await request.Body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (body.Length + count > maxBytes) return (null, new Refusal(ErrorCode.BodyTooLarge, most));
            body.Write(buffer, 0, count);
        }
        return (body.ToArray(), null);
    }
}
