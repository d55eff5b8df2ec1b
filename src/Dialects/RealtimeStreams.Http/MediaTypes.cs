using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace RealtimeStreams.Http;

/// <summary>Compares media types.</summary>
public static class MediaTypes
{
    /// <summary>Whether a Content-Type names the media type, with UTF-8 as its charset or none.</summary>
    public static bool Is(string contentType, string mediaType)
    {
        if (contentType.Equals(mediaType, StringComparison.OrdinalIgnoreCase)) return true;
        return contentType.StartsWith(mediaType, StringComparison.OrdinalIgnoreCase)
            && MediaTypeHeaderValue.TryParse(contentType, out var parsed)
            && parsed.MediaType.Equals(mediaType, StringComparison.OrdinalIgnoreCase)
            && (!parsed.Charset.HasValue || HeaderUtilities.RemoveQuotes(parsed.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>The one of <paramref name="offered"/> that suits an Accept header best (RFC 9110, section 12.5.1).</summary>
    /// <remarks>By quality, then by how exactly it was named, then in the order offered. Without the header, the first.</remarks>
    /// <returns>Null when none is accepted.</returns>
    public static string? Choose(StringValues accept, params ReadOnlySpan<string> offered)
    {
        if (StringValues.IsNullOrEmpty(accept) || !MediaTypeHeaderValue.TryParseList(accept, out var ranges) || ranges.Count == 0)
            return offered[0];
        string? best = null;
        var bestRank = (Quality: 0.0, Exactness: 0);
        foreach (var candidate in offered)
        {
            var rank = Rank(candidate, ranges);
            if (rank.CompareTo(bestRank) > 0) (best, bestRank) = (candidate, rank);
        }
        return best;
    }

    /// <summary>A header's value, short enough for an error's text.</summary>
    public static string Shorten(string value) => value.Length <= 64 ? value : $"{value.AsSpan(0, 64)}…";

    // The most exact range that covers the candidate decides its quality.
    private static (double Quality, int Exactness) Rank(string candidate, IList<MediaTypeHeaderValue> ranges)
    {
        var quality = 0.0;
        var exactness = 0;
        foreach (var range in ranges)
        {
            var of = range.MatchesAllTypes ? 1
                : range.MatchesAllSubTypes && candidate.StartsWith($"{range.Type}/", StringComparison.OrdinalIgnoreCase) ? 2
                : range.MediaType.Equals(candidate, StringComparison.OrdinalIgnoreCase) ? 3
                : 0;
            if (of <= exactness) continue;
            exactness = of;
            quality = range.Quality ?? 1;
        }
        return quality > 0 ? (quality, exactness) : (0, 0);
    }
}
