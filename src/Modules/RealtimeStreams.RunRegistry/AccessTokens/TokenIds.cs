using System.Globalization;
using System.Security.Cryptography;

namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>Names tokens: <c>tok_</c>, the second of the expiry and 16 random bytes, all hexadecimal. So a revocation knows by the id alone when it can be forgotten.</summary>
internal static class TokenIds
{
    private const string Prefix = "tok_";
    private const int RandomBytes = 16;

    public static string Make(DateTimeOffset expiresAt) => string.Create(
        CultureInfo.InvariantCulture, $"{Prefix}{expiresAt.ToUnixTimeSeconds():x}_{RandomNumberGenerator.GetHexString(2 * RandomBytes, lowercase: true)}");

    /// <summary>Reads an id that can have been made here; there is one spelling of each.</summary>
    public static bool TryRead(string? id, out DateTimeOffset expiresAt)
    {
        expiresAt = default;
        if (id is null || !id.StartsWith(Prefix, StringComparison.Ordinal) || id.Length > 64) return false;
        var end = id.IndexOf('_', Prefix.Length);
        if (end < 0 || id.Length - end - 1 != 2 * RandomBytes) return false;
        var digits = id.AsSpan(Prefix.Length, end - Prefix.Length);
        if (digits is not [not '0', ..] || !IsHex(digits) || !IsHex(id.AsSpan(end + 1))) return false;
        if (!long.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var seconds)
            || seconds < 0 || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds()) return false;
        expiresAt = DateTimeOffset.FromUnixTimeSeconds(seconds);
        return true;
    }

    private static bool IsHex(ReadOnlySpan<char> text)
    {
        foreach (var character in text)
            if (!char.IsAsciiHexDigitLower(character)) return false;
        return true;
    }
}
