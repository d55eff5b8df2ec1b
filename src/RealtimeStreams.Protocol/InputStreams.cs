using System.Diagnostics.CodeAnalysis;

namespace RealtimeStreams.Protocol;

/// <summary>Input streams: what readers send to a run. They are streams of the run with keys of their own, so that no output stream of the same name is touched.</summary>
public static class InputStreams
{
    /// <summary>What stands before an input stream's name in its key.</summary>
    public const string Prefix = "$input:";

    /// <summary>The key of the input stream of a name; false when that name, or the key it makes, breaks the rules of <see cref="StreamKey"/>.</summary>
    public static bool TryMakeKey([NotNullWhen(true)] string? name, out StreamKey key)
    {
        key = default;
        return StreamKey.FindFault(name) is null && StreamKey.TryParse(Prefix + name, null, out key);
    }

    /// <summary>The name of the input stream that has this key; null when it is no input stream's.</summary>
    public static string? FindName(StreamKey key) =>
        key.Value.StartsWith(Prefix, StringComparison.Ordinal) && key.Value.Length > Prefix.Length ? key.Value[Prefix.Length..] : null;
}
