using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace RealtimeStreams.RunRegistry.Tests;

/// <summary>Makes tokens as the published SDK signs them, and such as it would not.</summary>
internal static class SignedToken
{
    public const string Header = """{"alg":"HS256"}""";

    /// <summary>The claims of a good token; <paramref name="change"/> spoils them.</summary>
    public static string Claims(DateTimeOffset now, string environment = "default", Action<JsonObject>? change = null)
    {
        var claims = new JsonObject
        {
            ["sub"] = environment,
            ["pub"] = true,
            ["scopes"] = new JsonArray("read:runs:run_1"),
            ["iss"] = "https://id.trigger.dev",
            ["aud"] = "https://api.trigger.dev",
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.AddMinutes(15).ToUnixTimeSeconds(),
        };
        change?.Invoke(claims);
        return claims.ToJsonString();
    }

    public static string Make(string claims, string key, string header = Header)
    {
        var input = $"{Encode(header)}.{Encode(claims)}";
        return $"{input}.{Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(input)))}";
    }

    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
