using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace RealtimeStreams.Testing;

/// <summary>Makes tokens as a client signs them, and such as it would not.</summary>
public static class PublicToken
{
    private const string Header = """{"alg":"HS256"}""";

    /// <summary>A token of the environment <c>default</c>, valid for a quarter of an hour.</summary>
    /// <param name="key">The secret key.</param>
    /// <param name="scopes">What it grants.</param>
    /// <param name="change">Changes the claims before they are signed.</param>
    /// <param name="header">The header, as text.</param>
    public static string Sign(string key, string[] scopes, Action<JsonObject>? change = null, string header = Header)
    {
        var now = TimeProvider.System.GetUtcNow();
        var claims = new JsonObject
        {
            ["sub"] = "default",
            ["pub"] = true,
            ["scopes"] = new JsonArray([.. scopes.Select(scope => (JsonNode)scope)]),
            ["iss"] = "https://id.trigger.dev",
            ["aud"] = "https://api.trigger.dev",
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.AddMinutes(15).ToUnixTimeSeconds(),
        };
        change?.Invoke(claims);
        var input = $"{Encode(header)}.{Encode(claims.ToJsonString())}";
        return $"{input}.{Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(input)))}";
    }

    /// <summary>The same as the value of an Authorization header.</summary>
    public static string Bearer(string key, string[] scopes, Action<JsonObject>? change = null, string header = Header) => $"Bearer {Sign(key, scopes, change, header)}";

    /// <summary>The same token with other scopes and the old signature.</summary>
    public static string Tamper(string token, string scope, string other)
    {
        var parts = token.Split('.');
        var payload = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[1])).Replace(scope, other, StringComparison.Ordinal);
        return $"{parts[0]}.{Encode(payload)}.{parts[2]}";
    }

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
