using System.Buffers.Text;
using System.Security.Cryptography;

namespace RealtimeStreams.RunRegistry.SecretKeys;

/// <summary>How secret keys look.</summary>
internal static class SecretKeyText
{
    /// <summary>What those that are made here begin with.</summary>
    public const string Prefix = "rssk_";

    private const int ShownCharacters = 4;

    /// <summary>A new key: 256 random bits.</summary>
    public static string Make() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>A new key's id: 72 random bits, of letters and digits and <c>-_</c>.</summary>
    public static string MakeId() => "key_" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(9));

    /// <summary>Whether a text looks like an id.</summary>
    public static bool MayBeId(string text) =>
        text.Length is > 0 and <= 64 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_');

    /// <summary>As much of a key as is shown: four characters beside what all begin with, and so at most 24 bits of those that are made here.</summary>
    public static string Shorten(string key) => key[..((key.StartsWith(Prefix, StringComparison.Ordinal) ? Prefix.Length : 0) + ShownCharacters)];
}
