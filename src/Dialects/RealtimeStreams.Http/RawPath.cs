using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace RealtimeStreams.Http;

/// <summary>Reads route parameters as the client wrote them.</summary>
/// <remarks>
/// The server's own route values leave %2F encoded but decode %252F to %2F, so that the two cannot be told apart. Here a segment
/// comes from the request target itself and is unescaped once. The server also resolves the segments <c>.</c> and <c>..</c> before it routes, so that
/// what is written is not where it was routed: a target that has them has no parameters at all.
/// </remarks>
public static class RawPath
{
    /// <summary>What is wrong with a path whose parameter cannot be found, as the end of a sentence about that parameter.</summary>
    public const string Fault = "is not percent-encoded UTF-8, or stands beside a segment . or ..";

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The segment of the request target that stands for a parameter of the endpoint's route.</summary>
    /// <param name="context">A request that was routed.</param>
    /// <param name="parameter">The parameter's name.</param>
    /// <returns>Null when the target has no such segment, when it is no percent-encoded UTF-8, or when any segment is <c>.</c> or <c>..</c>, encoded or not.</returns>
    public static string? Find(HttpContext context, string parameter)
    {
        if (context.GetEndpoint() is not RouteEndpoint endpoint) return null;
        var segments = endpoint.RoutePattern.PathSegments;
        var position = segments.Count;
        while (--position >= 0)
        {
            if (segments[position].Parts is [RoutePatternParameterPart part] && part.Name == parameter) break;
        }
        if (position < 0) return null;
        var target = Target(context);
        if (HasDotSegment(target)) return null;
        // Counted from the end, so that a path base does not matter.
        return SegmentFromEnd(target, segments.Count - 1 - position) is { } segment ? Unescape(segment) : null;
    }

    /// <summary>Undoes percent-encoding (RFC 3986, section 2.1), once.</summary>
    /// <returns>Null when a percent sign is not followed by two hexadecimal digits, or the bytes are no UTF-8.</returns>
    public static string? Unescape(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal)) return text;
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            var length = 0;
            var rest = text.AsSpan();
            while (rest.IndexOf('%') is >= 0 and var percent)
            {
                length += Encoding.UTF8.GetBytes(rest[..percent], bytes.AsSpan(length));
                if (rest.Length < percent + 3 || !TryParseHex(rest[percent + 1], rest[percent + 2], out bytes[length])) return null;
                length++;
                rest = rest[(percent + 3)..];
            }
            length += Encoding.UTF8.GetBytes(rest, bytes.AsSpan(length));
            return Strict.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static bool TryParseHex(char high, char low, out byte value)
    {
        value = 0;
        if (!char.IsAsciiHexDigit(high) || !char.IsAsciiHexDigit(low)) return false;
        value = (byte)((Digit(high) << 4) | Digit(low));
        return true;

        static int Digit(char digit) => char.IsAsciiDigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
    }

    private static ReadOnlySpan<char> Target(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.AsSpan();
        if (target.IndexOfAny('?', '#') is >= 0 and var end) target = target[..end];
        if (target is not ['/', ..] && target.IndexOf("://") is >= 0 and var scheme)
        {
            // The absolute form, which proxies send (RFC 9112, section 3.2.2).
            var path = target[(scheme + 3)..].IndexOf('/');
            target = path < 0 ? "/" : target[(scheme + 3 + path)..];
        }
        return target is [.., '/'] ? target[..^1] : target;
    }

    private static bool HasDotSegment(ReadOnlySpan<char> path)
    {
        foreach (var segment in path.Split('/'))
        {
            if (IsDots(path[segment])) return true;
        }
        return false;
    }

    private static bool IsDots(ReadOnlySpan<char> segment)
    {
        var dots = 0;
        while (!segment.IsEmpty)
        {
            var width = segment[0] == '.' ? 1 : segment.StartsWith("%2e", StringComparison.OrdinalIgnoreCase) ? 3 : 0;
            if (width == 0 || ++dots > 2) return false;
            segment = segment[width..];
        }
        return dots > 0;
    }

    private static string? SegmentFromEnd(ReadOnlySpan<char> path, int fromEnd)
    {
        for (; fromEnd > 0; fromEnd--)
        {
            var slash = path.LastIndexOf('/');
            if (slash < 0) return null;
            path = path[..slash];
        }
        var start = path.LastIndexOf('/');
        return start < 0 ? null : path[(start + 1)..].ToString();
    }
}
