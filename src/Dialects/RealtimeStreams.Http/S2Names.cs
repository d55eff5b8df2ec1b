using System.Security.Cryptography;
using System.Text;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Http;

/// <summary>What our environments and streams are called in S2's words: the S2 dialect answers to these names, the Trigger dialect hands them out.</summary>
public static class S2Names
{
    private const int MinBasinChars = 8;
    private const int MaxBasinChars = 48;
    private const string BasinPrefix = "env-";
    private const int DigestChars = 8;
    private const string StreamPrefix = "runs/";

    /// <summary>The basin of an environment: its id, where that is a basin's name already, else a readable name that its digest makes its own.</summary>
    /// <returns>8 to 48 of <c>a-z 0-9 -</c> without a hyphen at either edge, always the same for the same environment.</returns>
    public static string BasinOf(EnvironmentId environment)
    {
        var id = environment.Value;
        if (IsBasin(id)) return id;
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..DigestChars];
        var readable = Readable(id);
        return readable.Length == 0 ? BasinPrefix + digest : $"{BasinPrefix}{readable}-{digest}";
    }

    /// <summary>The S2 name of a run's stream: <c>runs/{run}/{key}</c>, with <c>%</c> and <c>/</c> of the run percent-encoded and the key as it is.</summary>
    public static string StreamOf(RunId run, StreamKey key) => $"{StreamPrefix}{EscapeRun(run)}/{key.Value}";

    /// <summary>A run's id as it stands in stream names and in the scopes of tokens for them.</summary>
    public static string EscapeRun(RunId run) =>
        run.Value.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal);

    /// <summary>Whether an S2 stream name is that of a run's stream, with or without a slash in front.</summary>
    /// <remarks>The run goes up to the next slash and is unescaped once; the key is all the rest, slashes too.</remarks>
    /// <param name="name">The S2 name, already taken out of its URL.</param>
    /// <param name="run">The run.</param>
    /// <param name="key">The stream's key.</param>
    /// <returns>False when the name is that of a stream outside runs.</returns>
    public static bool TryParse(string name, out RunId run, out StreamKey key)
    {
        run = default;
        key = default;
        var rest = name.AsSpan();
        if (rest is ['/', ..]) rest = rest[1..];
        if (!rest.StartsWith(StreamPrefix, StringComparison.Ordinal)) return false;
        rest = rest[StreamPrefix.Length..];
        var slash = rest.IndexOf('/');
        return slash > 0
            && RawPath.Unescape(rest[..slash].ToString()) is { } id
            && RunId.TryParse(id, null, out run)
            && StreamKey.TryParse(rest[(slash + 1)..].ToString(), null, out key);
    }

    private static bool IsBasin(string id) =>
        id.Length is >= MinBasinChars and <= MaxBasinChars
        && id.All(letter => IsBasinLetter(letter) || letter == '-')
        && id is not ['-', ..] and not [.., '-'];

    private static bool IsBasinLetter(char letter) => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter);

    private static string Readable(string id)
    {
        var text = new StringBuilder();
        foreach (var letter in id)
        {
            var lower = char.ToLowerInvariant(letter);
            if (IsBasinLetter(lower)) text.Append(lower);
            else if (text is { Length: > 0 } && text[^1] != '-') text.Append('-');
            // The prefix, the digest and the hyphen before it have their places too.
            if (text.Length == MaxBasinChars - BasinPrefix.Length - DigestChars - 1) break;
        }
        return text.ToString().TrimEnd('-');
    }
}
