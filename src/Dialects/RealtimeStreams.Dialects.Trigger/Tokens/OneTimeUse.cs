using System.Buffers.Text;
using System.Text.Json;

namespace RealtimeStreams.Dialects.Trigger.Tokens;

/// <summary>Some public tokens trigger one run and no more: their claim <c>otu</c> says so.</summary>
internal static class OneTimeUse
{
    /// <summary>Whether a token, which was verified before, says so.</summary>
    public static bool Is(string token)
    {
        try
        {
            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]));
            return claims.RootElement.TryGetProperty("otu", out var once) && once.ValueKind == JsonValueKind.True;
        }
        catch (Exception exception) when (exception is FormatException or JsonException or IndexOutOfRangeException)
        {
            return false;
        }
    }
}
