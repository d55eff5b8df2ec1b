using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Http;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Streams;

/// <summary>GET /streams: names in byte order, those of runs' streams among them.</summary>
internal static class ListStreams
{
    private const int MaxLimit = 1000;
    private const int MaxNameBytes = 512;

    public static async Task<IResult> HandleAsync(HttpContext context, Call call, INamedStreams streams)
    {
        var query = context.Request.Query;
        var prefix = query["prefix"].ToString();
        var startAfter = query["start_after"].ToString();
        var text = query["limit"].ToString();
        if (!int.TryParse(text.Length == 0 ? "1000" : text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit))
            return Answers.Error(S2Error.BadQuery($"The parameter limit is {MediaTypes.Shorten(text)}; it must be a number."));
        if (limit is 0 or > MaxLimit) limit = MaxLimit;
        if (Encoding.UTF8.GetByteCount(prefix) > MaxNameBytes || Encoding.UTF8.GetByteCount(startAfter) > MaxNameBytes)
            return Answers.Error(S2Error.Invalid($"The parameters prefix and start_after have at most {MaxNameBytes} bytes, as names have."));
        var page = await streams.ListAsync(call.Environment, prefix, startAfter, limit, context.RequestAborted);
        return Answers.Object(json =>
        {
            json.WriteStartArray("streams");
            foreach (var stream in page.Streams)
            {
                json.WriteStartObject();
                StreamTexts.WriteInfo(json, stream.Name, stream.CreatedAt);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteBoolean("has_more", page.HasMore);
        });
    }
}
