using System.Buffers;
using System.Text.Json;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>What a token claims, as far as it has the form of one of this product's. Not to be believed before the signature is checked.</summary>
internal sealed record TokenClaims(
    EnvironmentId Environment, IReadOnlyList<AccessScope> Scopes, double ExpiresAt, double? NotBefore, double? IssuedAt, string? TokenId)
{
    private const string Issuer = "https://id.trigger.dev";
    private const string Audience = "https://api.trigger.dev";

    /// <summary>How far the clocks of whoever made a token may be ahead, in seconds. One that has expired has expired.</summary>
    private const double MaxAhead = 5;

    /// <summary>Reads a payload; null when it lacks something that every token has, or says something that none says.</summary>
    public static TokenClaims? TryRead(byte[] payload)
    {
        using var document = TokenText.TryReadObject(payload);
        if (document is null) return null;
        var claims = document.RootElement;
        if (!claims.TryGetProperty("pub", out var isPublic) || isPublic.ValueKind != JsonValueKind.True) return null;
        if (FindText(claims, "iss") != Issuer || !IsForUs(claims)) return null;
        if (!EnvironmentId.TryParse(FindText(claims, "sub"), null, out var environment)) return null;
        if (!TryFindTime(claims, "exp", out var expires) || expires is not { } expiresAt) return null;
        if (!TryFindTime(claims, "nbf", out var notBefore) || !TryFindTime(claims, "iat", out var issuedAt)) return null;
        // Only ids that are made here mean something. They tell for how long a revocation must be kept, so the token has to agree.
        var id = FindText(claims, "jti");
        if (!TokenIds.TryRead(id, out var idUntil)) id = null;
        else if (idUntil.ToUnixTimeSeconds() != expiresAt) return null;
        return TryFindScopes(claims) is { } scopes ? new TokenClaims(environment, scopes, expiresAt, notBefore, issuedAt, id) : null;
    }

    /// <summary>Writes the payload of a token.</summary>
    public static byte[] Write(EnvironmentId environment, IReadOnlyList<string> scopes, string id, DateTimeOffset issuedAt, DateTimeOffset expiresAt)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("sub"u8, environment.Value);
            json.WriteBoolean("pub"u8, true);
            json.WriteStartArray("scopes"u8);
            foreach (var scope in scopes) json.WriteStringValue(scope);
            json.WriteEndArray();
            json.WriteString("iss"u8, Issuer);
            json.WriteString("aud"u8, Audience);
            json.WriteString("jti"u8, id);
            json.WriteNumber("iat"u8, issuedAt.ToUnixTimeSeconds());
            json.WriteNumber("exp"u8, expiresAt.ToUnixTimeSeconds());
            json.WriteEndObject();
        }
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Why the token is not valid at this time; null when it is.</summary>
    public string? FindFaultAt(DateTimeOffset now)
    {
        var seconds = now.ToUnixTimeMilliseconds() / 1000.0;
        if (!(seconds < ExpiresAt)) return TokenFaults.Expired;
        return NotBefore > seconds + MaxAhead || IssuedAt > seconds + MaxAhead ? TokenFaults.NotYetValid : null;
    }

    /// <summary>What the token grants, once it is verified.</summary>
    public AccessGrant ToGrant() => new(Environment, Scopes, ToTime(ExpiresAt))
    {
        TokenId = TokenId,
        IssuedAt = IssuedAt is { } issuedAt ? ToTime(issuedAt) : null,
    };

    private static DateTimeOffset ToTime(double seconds) =>
        DateTimeOffset.UnixEpoch.AddSeconds(Math.Min(seconds, DateTimeOffset.MaxValue.ToUnixTimeSeconds() - 1));

    private static bool IsForUs(JsonElement claims)
    {
        if (!claims.TryGetProperty("aud", out var audience)) return false;
        return audience.ValueKind switch
        {
            JsonValueKind.String => IsText(audience, Audience),
            JsonValueKind.Array => audience.EnumerateArray().Any(one => IsText(one, Audience)),
            _ => false,
        };
    }

    private static List<AccessScope>? TryFindScopes(JsonElement claims)
    {
        if (!claims.TryGetProperty("scopes", out var scopes)) return [];
        if (scopes.ValueKind != JsonValueKind.Array) return null;
        var found = new List<AccessScope>(scopes.GetArrayLength());
        foreach (var scope in scopes.EnumerateArray())
        {
            if (TryGetText(scope) is not { } text) return null;
            found.Add(AccessScope.Parse(text));
        }
        return found;
    }

    /// <summary>Reads a time in seconds since 1970 (RFC 7519, section 2); false when it is there and is none.</summary>
    private static bool TryFindTime(JsonElement claims, string name, out double? time)
    {
        time = null;
        if (!claims.TryGetProperty(name, out var value)) return true;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var seconds) || !double.IsFinite(seconds) || seconds < 0) return false;
        time = seconds;
        return true;
    }

    private static string? FindText(JsonElement claims, string name) => claims.TryGetProperty(name, out var value) ? TryGetText(value) : null;

    private static bool IsText(JsonElement value, string text) => TryGetText(value) == text;

    private static string? TryGetText(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
