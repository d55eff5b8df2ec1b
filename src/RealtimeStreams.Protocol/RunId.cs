using System.Diagnostics.CodeAnalysis;

namespace RealtimeStreams.Protocol;

/// <summary>Names a run within its environment.</summary>
/// <remarks>1 to 256 bytes of UTF-8 without control characters; compared byte by byte. The words <c>self</c>, <c>parent</c> and <c>root</c> stand for targets and name no run.</remarks>
public readonly record struct RunId : IParsable<RunId>
{
    private readonly string? value;

    private RunId(string value) => this.value = value;

    /// <summary>The id as its maker wrote it.</summary>
    /// <exception cref="InvalidOperationException">This is the default value, which names nothing.</exception>
    public string Value => value ?? throw new InvalidOperationException("This run id was never set.");

    /// <summary>Makes a run id.</summary>
    /// <exception cref="FormatException">The text breaks a rule of the type's remarks; the message says which.</exception>
    public static RunId Parse(string s, IFormatProvider? provider = null) =>
        FindFault(s) is { } fault ? throw new FormatException($"The run id {fault}.") : new RunId(s);

    /// <summary>Makes a run id if the text can be one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out RunId result)
    {
        var fits = FindFault(s) is null;
        result = fits ? new RunId(s!) : default;
        return fits;
    }

    /// <summary>Says why the text cannot be a run id, as the rest of a sentence; null when it can.</summary>
    public static string? FindFault(string? text) => text is "self" or "parent" or "root" ? "is a word that stands for a target" : Identifier.FindFault(text);

    /// <inheritdoc />
    public override string ToString() => value ?? "";
}
