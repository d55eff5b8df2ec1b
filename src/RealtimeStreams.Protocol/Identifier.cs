using System.Globalization;
using System.Text;

namespace RealtimeStreams.Protocol;

/// <summary>The rule that all identifiers given by users share.</summary>
internal static class Identifier
{
    /// <summary>The most UTF-8 bytes that a run id or a stream key may have.</summary>
    public const int MaxBytes = 256;

    /// <summary>Says why <paramref name="text"/> cannot be an identifier; null when it can.</summary>
    public static string? FindFault(string? text, int maxBytes = MaxBytes)
    {
        if (string.IsNullOrEmpty(text)) return "is empty";
        if (text is "." or "..") return "is a path segment that clients and proxies remove";
        if (text.Length > maxBytes) return TooLong(text.Length, "characters", maxBytes);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar) return "contains U+FFFD, or a surrogate without its partner";
            if (Rune.IsControl(rune)) return string.Create(CultureInfo.InvariantCulture, $"contains the control character U+{rune.Value:X4}");
        }
        var bytes = Encoding.UTF8.GetByteCount(text);
        return bytes > maxBytes ? TooLong(bytes, "bytes", maxBytes) : null;
    }

    private static string TooLong(int have, string unit, int most) =>
        string.Create(CultureInfo.InvariantCulture, $"is {have} {unit} long; at most {most} bytes of UTF-8 are allowed");
}
