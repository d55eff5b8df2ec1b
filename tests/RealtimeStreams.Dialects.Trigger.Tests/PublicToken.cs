using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace RealtimeStreams.Dialects.Trigger.Tests;

/// <summary>Makes tokens as the published SDK signs them, and such as it would not.</summary>
internal static class PublicToken
{
    private const string Header = """{"alg":"HS256"}""";

    /// <summary>A token as the value of an Authorization header.</summary>
    public static string Bearer(string key, string[] scopes, Action<JsonObject>? change = null, string header = Header)
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
        return $"Bearer {input}.{Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(input)))}";
    }

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
