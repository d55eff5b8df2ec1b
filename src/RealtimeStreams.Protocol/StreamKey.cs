using System.Diagnostics.CodeAnalysis;

namespace RealtimeStreams.Protocol;

/// <summary>Names a stream within its run.</summary>
/// <remarks>1 to 256 bytes of UTF-8 without control characters; compared byte by byte. </remarks>
public readonly record struct StreamKey : IParsable<StreamKey>
{
    /// <summary>The key that a stream has when none is given.</summary>
    public static readonly StreamKey Default = new("default");

    private readonly string? value;

    private StreamKey(string value) => this.value = value;

    /// <summary>The id as its maker wrote it.</summary>
    /// <exception cref="InvalidOperationException">This is the default value, which names nothing.</exception>
    public string Value => value ?? throw new InvalidOperationException("This stream key was never set.");

    /// <summary>Makes a stream key.</summary>
    /// <exception cref="FormatException">The text breaks a rule of the type's remarks; the message says which.</exception>
    public static StreamKey Parse(string s, IFormatProvider? provider = null) =>
        FindFault(s) is { } fault ? throw new FormatException($"The stream key {fault}.") : new StreamKey(s);

    /// <summary>Makes a stream key if the text can be one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out StreamKey result)
    {
        var fits = FindFault(s) is null;
        result = fits ? new StreamKey(s!) : default;
        return fits;
    }

    /// <summary>Says why the text cannot be a stream key, as the rest of a sentence; null when it can.</summary>
    public static string? FindFault(string? text) => Identifier.FindFault(text);

    /// <inheritdoc />
    public override string ToString() => value ?? "";
}
