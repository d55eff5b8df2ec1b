using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace RealtimeStreams.Protocol;

/// <summary>Tells JSON whose strings are text from JSON whose strings are not.</summary>
/// <remarks>
/// JSON's grammar takes escapes of half a surrogate pair (RFC 8259, section 8.2), and JavaScript writes them for text that was cut within such a pair. No UTF-8 can hold them, and
/// the base library throws an <see cref="InvalidOperationException"/> when it is asked for such a string or name, or told to write it. So: where a string has to be text for
/// us, ask here first; where it is only handed on, hand on the JSON as it stands.
/// </remarks>
public static class JsonStrings
{
    /// <summary>Whether all strings and names of valid JSON are text: UTF-8, without halves of surrogate pairs. Any other bytes are answered either way.</summary>
    public static bool AreText(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json)) return false;
        while (json.IndexOf((byte)'\\') is var escape and >= 0)
        {
            json = json[(escape + 1)..];
            if (FindUnit(json) is not { } unit)
            {
                if (!json.IsEmpty) json = json[1..]; // It may be a backslash itself.
                continue;
            }
            json = json[5..];
            if (char.IsLowSurrogate(unit)) return false;
            if (!char.IsHighSurrogate(unit)) continue;
            if (json is not [(byte)'\\', .. var next] || FindUnit(next) is not { } second || !char.IsLowSurrogate(second)) return false;
            json = json[6..];
        }
        return true;
    }

    /// <summary>Whether a value's strings and names, or the value itself if it is one, are text.</summary>
    public static bool AreText(JsonElement value) => AreText(JsonMarshal.GetRawUtf8Value(value));

    /// <summary>Finds a property of an object whose names need not be text: the last of that name, spelled without escapes.</summary>
    /// <param name="value">An object.</param>
    /// <param name="name">The name.</param>
    /// <param name="property">What the property holds.</param>
    public static bool TryGetProperty(JsonElement value, ReadOnlySpan<byte> name, out JsonElement property)
    {
        var found = false;
        property = default;
        foreach (var one in value.EnumerateObject())
        {
            if (!JsonMarshal.GetRawUtf8PropertyName(one).SequenceEqual(name)) continue;
            property = one.Value;
            found = true;
        }
        return found;
    }

    /// <summary>The UTF-16 unit that an escape's part behind the backslash stands for; null when it is none of the form <c>u0000</c>.</summary>
    private static char? FindUnit(ReadOnlySpan<byte> escape)
    {
        if (escape.Length < 5 || escape[0] != (byte)'u') return null;
        var unit = 0;
        foreach (var digit in escape[1..5])
        {
            if (!char.IsAsciiHexDigit((char)digit)) return null;
            unit = (unit << 4) | (digit <= (byte)'9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }
        return (char)unit;
    }
}
