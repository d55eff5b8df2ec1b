using System.Diagnostics.CodeAnalysis;

namespace RealtimeStreams.Protocol;

/// <summary>Names a producer: one writing client of a stream, which numbers its own chunks.</summary>
/// <remarks>1 to 64 bytes of UTF-8 without control characters; compared byte by byte. </remarks>
public readonly record struct ProducerId : IParsable<ProducerId>
{
    private readonly string? value;

    private ProducerId(string value) => this.value = value;

    /// <summary>The id as its maker wrote it.</summary>
    /// <exception cref="InvalidOperationException">This is the default value, which names nothing.</exception>
    public string Value => value ?? throw new InvalidOperationException("This producer id was never set.");

    /// <summary>Makes a producer id.</summary>
    /// <exception cref="FormatException">The text breaks a rule of the type's remarks; the message says which.</exception>
    public static ProducerId Parse(string s, IFormatProvider? provider = null) =>
        FindFault(s) is { } fault ? throw new FormatException($"The producer id {fault}.") : new ProducerId(s);

    /// <summary>Makes a producer id if the text can be one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out ProducerId result)
    {
        var fits = FindFault(s) is null;
        result = fits ? new ProducerId(s!) : default;
        return fits;
    }

    /// <summary>Says why the text cannot be a producer id, as the rest of a sentence; null when it can.</summary>
    public static string? FindFault(string? text) => Identifier.FindFault(text, 64);

    /// <inheritdoc />
    public override string ToString() => value ?? "";
}
