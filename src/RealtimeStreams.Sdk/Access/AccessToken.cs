using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Text.Json;

namespace RealtimeStreams.Sdk.Access;

/// <summary>A credential as it is sent, with what became of it.</summary>
internal sealed class AccessToken
{
    /// <summary>The longest token that a server takes.</summary>
    private const int MaxLength = 8192;

    /// <summary>A token is renewed when a fifth of its time is left, and no earlier than this.</summary>
    private static readonly TimeSpan MostAhead = TimeSpan.FromSeconds(30);

    private AccessToken(string text, bool isReplacement)
    {
        Header = new AuthenticationHeaderValue("Bearer", text);
        IsReplacement = isReplacement;
    }

    public AuthenticationHeaderValue Header { get; }

    /// <summary>Whether the one before it was refused.</summary>
    public bool IsReplacement { get; }

    /// <summary>When it was given, a timestamp.</summary>
    public long Given { get; private init; }

    /// <summary>How long after that it is to be renewed, and how long after that it says that it ends; null: it does not say.</summary>
    public (TimeSpan Renew, TimeSpan End)? Times { get; private set; }

    /// <summary>Whether the server has taken it at least once.</summary>
    public bool WasTaken { get; set; }

    /// <summary>Whether it is worth trying another one; null: it was not refused.</summary>
    public bool? CanBeReplaced { get; set; }

    /// <summary>Renewing it failed: it is tried again when a third of what is left has gone by.</summary>
    public void Postpone(TimeSpan age)
    {
        if (Times is { } times) Times = (age + ((times.End - age) / 3), times.End);
    }

    public static AccessToken OfKey(string secretKey) => new(secretKey, isReplacement: false);

    /// <returns>Null when the text cannot be a token.</returns>
    public static AccessToken? TryMake(string? text, bool isReplacement, DateTimeOffset now, long given) =>
        text is { Length: > 0 and <= MaxLength } && text.All(letter => letter is > ' ' and < (char)127)
            ? new AccessToken(text, isReplacement) { Given = given, Times = FindTimes(text, now) }
            : null;

    /// <summary>
    /// Reads <c>exp</c> and <c>iat</c> without believing them: they say when to ask for another token, and the server says when this one is none. A token
    /// that has expired by this machine's clock is sent all the same, as that clock may be wrong.
    /// </summary>
    private static (TimeSpan, TimeSpan)? FindTimes(string text, DateTimeOffset now)
    {
        if (text.Split('.') is not [_, var payload, _] || !Base64Url.IsValid(payload)) return null;
        try
        {
            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(payload));
            if (Find(claims, "exp") is not { } ends) return null;
            var left = ends - (now.ToUnixTimeMilliseconds() / 1000.0);
            if (Find(claims, "iat") is { } made && made < ends) left = Math.Min(left, ends - made);
            if (left <= 0) return null;
            var end = TimeSpan.FromSeconds(Math.Min(left, TimeSpan.FromDays(3653).TotalSeconds));
            var ahead = end / 5;
            return (end - (ahead < MostAhead ? ahead : MostAhead), end);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static double? Find(JsonDocument claims, string name) =>
        claims.RootElement.ValueKind == JsonValueKind.Object
        && claims.RootElement.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
        && value.TryGetDouble(out var seconds)
        && double.IsFinite(seconds)
            ? seconds
            : null;
}
