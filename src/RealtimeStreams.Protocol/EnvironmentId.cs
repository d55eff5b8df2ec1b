using System.Diagnostics.CodeAnalysis;

namespace RealtimeStreams.Protocol;

/// <summary>Names an environment: a tenant's isolated space of runs, keys and limits.</summary>
/// <remarks>1 to 64 bytes of UTF-8 without control characters; compared byte by byte. </remarks>
public readonly record struct EnvironmentId : IParsable<EnvironmentId>
{
    private readonly string? value;

    private EnvironmentId(string value) => this.value = value;

    /// <summary>The id as its maker wrote it.</summary>
    /// <exception cref="InvalidOperationException">This is the default value, which names nothing.</exception>
    public string Value => value ?? throw new InvalidOperationException("This environment id was never set.");

    /// <summary>Makes a environment id.</summary>
    /// <exception cref="FormatException">The text breaks a rule of the type's remarks; the message says which.</exception>
    public static EnvironmentId Parse(string s, IFormatProvider? provider = null) =>
        FindFault(s) is { } fault ? throw new FormatException($"The environment id {fault}.") : new EnvironmentId(s);

    /// <summary>Makes a environment id if the text can be one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out EnvironmentId result)
    {
        var fits = FindFault(s) is null;
        result = fits ? new EnvironmentId(s!) : default;
        return fits;
    }

    /// <summary>Says why the text cannot be a environment id, as the rest of a sentence; null when it can.</summary>
    public static string? FindFault(string? text) => Identifier.FindFault(text, 64);

    /// <inheritdoc />
    public override string ToString() => value ?? "";
}
