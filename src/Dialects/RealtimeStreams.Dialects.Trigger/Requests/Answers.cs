using Microsoft.AspNetCore.Http;

namespace RealtimeStreams.Dialects.Trigger.Requests;

/// <summary>Answers that are the same each time, or were made by hand.</summary>
internal static class Answers
{
    public static IResult Json(ReadOnlySpan<byte> json, int status = StatusCodes.Status200OK) =>
        Results.Text(json, "application/json", status);
}
