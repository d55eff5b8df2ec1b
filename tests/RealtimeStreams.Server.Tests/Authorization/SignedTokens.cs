using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace RealtimeStreams.Server.Tests.Authorization;

/// <summary>Tokens as a backend signs them by itself, and such as an attacker would like to have.</summary>
internal static class SignedTokens
{
    public const string Header = """{"alg":"HS256","typ":"JWT"}""";

    public static string Sign(string key, string environment, string[] scopes, Action<JsonObject>? change = null)
    {
        var claims = Claims(environment, scopes);
        change?.Invoke(claims);
        return SignText(key, claims.ToJsonString());
    }

    public static JsonObject Claims(string environment, string[] scopes)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        return new JsonObject
        {
            ["sub"] = environment,
            ["pub"] = true,
            ["scopes"] = new JsonArray([.. scopes.Select(scope => JsonValue.Create(scope))]),
            ["iss"] = "https://id.trigger.dev",
            ["aud"] = "https://api.trigger.dev",
            ["iat"] = now + 3, // As far ahead as clocks may be: a revocation of all, which is one of the routes, takes none of the other tests' tokens.
            ["exp"] = now + 600,
        };
    }

    public static string SignText(string key, string claims, string header = Header)
    {
        var input = $"{Encode(header)}.{Encode(claims)}";
        return $"{input}.{Signature(key, input)}";
    }

    public static string Signature(string key, string input) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(input)));

    /// <summary>The same signature over other claims.</summary>
    public static string Tamper(string token, string text, string other)
    {
        var parts = token.Split('.');
        var claims = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[1]));
        return claims.Contains(text, StringComparison.Ordinal)
            ? $"{parts[0]}.{Encode(claims.Replace(text, other, StringComparison.Ordinal))}.{parts[2]}"
            : throw new InvalidOperationException($"The claims have no {text}.");
    }

    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
