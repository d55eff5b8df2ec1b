using System.Text;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Registering;

namespace RealtimeStreams.RunRegistry.Naming;

/// <summary>The rules of stream names: what can be one, what a run's stream is called, and how they are ordered.</summary>
internal static class StreamNames
{
    public const int MaxBytes = 512;

    /// <summary>What a run's stream is listed as.</summary>
    public static string Of(RunId run, StreamKey key) =>
        $"runs/{run.Value.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal)}/{key}";

    /// <summary>Says why a text cannot name a stream, as the rest of a sentence; null when it can.</summary>
    public static string? FindFault(string name)
    {
        if (name.Length == 0) return "is empty";
        if (name.Contains('\0')) return "contains U+0000";
        if (TextRule.HasLoneSurrogate(name)) return "contains a surrogate without its partner";
        var bytes = Encoding.UTF8.GetByteCount(name);
        return bytes > MaxBytes ? $"is {bytes} bytes long; at most {MaxBytes} bytes of UTF-8 are allowed" : null;
    }

    /// <summary>
    /// The names that begin with a prefix and stand behind another name, as a range: from <c>From</c> (itself only if <c>Inclusive</c>) to before <c>To</c>
    /// (null: to the last). Null when there can be none.
    /// </summary>
    public static (string From, bool Inclusive, string? To)? FindRange(string prefix, string startAfter)
    {
        if (prefix.Contains('\0') || TextRule.HasLoneSurrogate(prefix)) return null; // No name begins so.
        var to = FindSuccessor(prefix);
        if (to is not null && Compare(startAfter, to) >= 0) return null;

        // No name has U+0000, which databases do not take: behind "a\0b" is behind "a".
        var end = startAfter.IndexOf('\0', StringComparison.Ordinal);
        var after = end < 0 ? startAfter : startAfter[..end];
        if (TextRule.HasLoneSurrogate(after)) after = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(after));
        return Compare(after, prefix) < 0 ? (prefix, true, to) : (after, after.Length == 0, to);
    }

    /// <summary>Compares by the bytes of the UTF-8, as the databases do; ordinal comparison of strings orders surrogates otherwise.</summary>
    public static int Compare(string left, string right)
    {
        for (var i = 0; i < left.Length && i < right.Length; i++)
        {
            var (one, other) = (left[i], right[i]);
            if (one == other) continue;

            // Of UTF-16, only surrogates are out of order: what they stand for comes last.
            return char.IsSurrogate(one) == char.IsSurrogate(other) ? one.CompareTo(other) : char.IsSurrogate(one) ? 1 : -1;
        }
        return left.Length.CompareTo(right.Length);
    }

    /// <summary>The first text behind all those that begin with the prefix; null when there is none.</summary>
    private static string? FindSuccessor(string prefix)
    {
        var runes = prefix.EnumerateRunes().ToList();
        while (runes.Count > 0)
        {
            var last = runes[^1];
            runes.RemoveAt(runes.Count - 1);
            if (last.Value == 0x10FFFF) continue;
            runes.Add(new Rune(last.Value == 0xD7FF ? 0xE000 : last.Value + 1));
            return string.Concat(runes);
        }
        return null;
    }
}
