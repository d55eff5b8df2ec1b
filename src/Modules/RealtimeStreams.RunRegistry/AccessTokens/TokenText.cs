using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>A JWT in its compact form (RFC 7515, section 3.1), signed with HMAC-SHA256. By hand, because the usual library refuses keys below 32 bytes.</summary>
/// <param name="SigningInput">Header and payload as they stand in the text: what is signed.</param>
/// <param name="Payload">The payload's JSON text.</param>
/// <param name="Signature">The signature's 32 bytes.</param>
internal readonly record struct TokenText(byte[] SigningInput, byte[] Payload, byte[] Signature)
{
    /// <summary>The longest token, in characters, which are all ASCII.</summary>
    public const int MaxLength = 8192;

    /// <summary>The header of all tokens that are made here: <c>{"alg":"HS256","typ":"JWT"}</c>.</summary>
    private static readonly string Header = Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8);

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>Takes a text apart; false when it is no JWT, or one whose header asks for anything but HS256.</summary>
    public static bool TryParse(string text, out TokenText token)
    {
        token = default;
        if (text.Length > MaxLength) return false;
        var firstDot = text.IndexOf('.');
        var lastDot = text.LastIndexOf('.');
        if (firstDot < 1 || lastDot == firstDot) return false;
        if (!TryDecode(text.AsSpan(0, firstDot), out var header)
            || !TryDecode(text.AsSpan(firstDot + 1, lastDot - firstDot - 1), out var payload)
            || !TryDecode(text.AsSpan(lastDot + 1), out var signature)
            || signature.Length != HMACSHA256.HashSizeInBytes
            || !IsHs256(header)) return false;
        token = new TokenText(Encoding.ASCII.GetBytes(text, 0, lastDot), payload, signature);
        return true;
    }

    /// <summary>Signs a payload.</summary>
    public static string Make(ReadOnlySpan<byte> payload, byte[] key)
    {
        var input = $"{Header}.{Base64Url.EncodeToString(payload)}";
        return $"{input}.{Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(input)))}";
    }

    /// <summary>Whether this key signed it. Takes as long for every wrong signature.</summary>
    public bool IsSignedWith(byte[] key)
    {
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, SigningInput, expected);
        return CryptographicOperations.FixedTimeEquals(expected, Signature);
    }

    /// <summary>Reads JSON that has to be one object without doubled names, whose strings and names are text throughout; null when it is not.</summary>
    public static JsonDocument? TryReadObject(byte[] json)
    {
        if (!JsonStrings.AreText(json)) return null; // The parser looks only at what is asked for, and then throws.
        try
        {
            var document = JsonDocument.Parse(json, Strict);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
        }
        catch (JsonException)
        {
            // No JSON: no token.
        }
        return null;
    }

    private static bool IsHs256(byte[] header)
    {
        using var document = TryReadObject(header);
        return document is not null
            && document.RootElement.TryGetProperty("alg", out var algorithm)
            && algorithm.ValueKind == JsonValueKind.String
            && algorithm.ValueEquals("HS256"u8)
            && !document.RootElement.TryGetProperty("crit", out _); // Demands understanding of something that is not understood here (RFC 7515, 4.1.11).
    }

    // The decoder would also take padding and white space, which no token has.
    private static bool TryDecode(ReadOnlySpan<char> part, out byte[] bytes)
    {
        bytes = [];
        if (part.Length % 4 == 1) return false;
        foreach (var character in part)
            if (!char.IsAsciiLetterOrDigit(character) && character is not ('-' or '_')) return false;
        var decoded = new byte[Base64Url.GetMaxDecodedLength(part.Length)];
        if (Base64Url.DecodeFromChars(part, decoded, out _, out var written) != OperationStatus.Done) return false;
        bytes = decoded[..written];
        return true;
    }
}
