using System.Globalization;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Native.Reading;

/// <summary>What a reader asks for.</summary>
/// <param name="MediaType">How it wants the chunks.</param>
/// <param name="StartIndex">The index it wants first; negative: so many from the end.</param>
/// <param name="Timeout">How long it waits for data; null: for ever.</param>
/// <param name="Limit">The most chunks of a page.</param>
internal sealed record ReadRequest(string MediaType, long StartIndex, TimeSpan? Timeout, int Limit)
{
    public const string EventStream = "text/event-stream";
    public const string Lines = "application/x-ndjson";
    public const string Page = "application/json";

    private const string LastEventId = "Last-Event-ID";
    private const int DefaultLimit = 1000;
    private const int MaxLimit = 10_000;
    private const int MaxTimeoutSeconds = 86_400;

    // The largest integer that every JSON reader keeps exactly (RFC 8259, section 6).
    private const long MaxIndex = (1L << 53) - 1;

    public static bool TryRead(HttpRequest request, out ReadRequest? read, out ProblemResult? problem)
    {
        read = null;
        var mediaType = MediaTypes.Choose(request.Headers.Accept, EventStream, Lines, Page);
        if (mediaType is null)
        {
            problem = Problems.From(ErrorCode.NotAcceptable, $"Accept {EventStream}, {Lines} or {Page}.", "Accept");
            return false;
        }
        if (!TryReadStart(request, out var start, out problem)
            || !TryReadNumber(request, "timeoutInSeconds", MaxTimeoutSeconds, out var timeout, out problem)
            || !TryReadNumber(request, "limit", MaxLimit, out var limit, out problem))
        {
            return false;
        }
        read = new ReadRequest(mediaType, start, timeout is { } seconds ? TimeSpan.FromSeconds(seconds) : null, limit ?? DefaultLimit);
        return true;
    }

    private static bool TryReadStart(HttpRequest request, out long start, out ProblemResult? problem)
    {
        start = 0;
        problem = null;
        var last = request.Headers[LastEventId].ToString();
        if (last.Length > 0)
        {
            if (long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out start) && start++ < MaxIndex) return true;
            problem = Problems.From(
                ErrorCode.InvalidStartIndex, $"The header {LastEventId} is {MediaTypes.Shorten(last)}; it must be a number from 0 to {MaxIndex - 1}.", LastEventId);
            return false;
        }
        var text = request.Query["startIndex"];
        if (text.Count == 0) return true;
        if (long.TryParse(text.ToString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out start) && start is >= -MaxIndex and <= MaxIndex)
            return true;
        problem = Problems.From(
            ErrorCode.InvalidStartIndex,
            $"The parameter startIndex is {MediaTypes.Shorten(text.ToString())}; it must be an integer from -{MaxIndex} to {MaxIndex}.",
            "startIndex");
        return false;
    }

    private static bool TryReadNumber(HttpRequest request, string name, int most, out int? number, out ProblemResult? problem)
    {
        number = null;
        problem = null;
        var text = request.Query[name];
        if (text.Count == 0) return true;
        if (int.TryParse(text.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) && parsed >= 1 && parsed <= most)
            number = parsed;
        else
            problem = Problems.From(
                ErrorCode.InvalidRequest, $"The parameter {name} is {MediaTypes.Shorten(text.ToString())}; it must be a number from 1 to {most}.", name);
        return problem is null;
    }
}
