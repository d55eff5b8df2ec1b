using System.Text;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Registering;

/// <summary>The rule of what a run is given and gives: text of a bounded size.</summary>
internal static class DataRule
{
    public const int MaxBytes = 1024 * 1024;
    private const int MaxTypeBytes = 256;

    /// <summary>Says what is wrong with a text and its media type, naming the field; null when nothing is.</summary>
    public static Refusal? FindFault(string field, string? text, string? type = null)
    {
        if (type is not null && TextRule.FindFault(type, MaxTypeBytes) is { } fault) return Refuse($"{field}Type {fault}.");
        if (text is null) return type is null ? null : Refuse($"{field}Type is given without {field}.");
        if (text.Contains('\0')) return Refuse($"{field} contains U+0000, which cannot be kept as text. In JSON, write it as \\u0000.");
        if (TextRule.HasLoneSurrogate(text)) return Refuse($"{field} contains a surrogate without its partner.");
        var bytes = text.Length > MaxBytes ? text.Length : Encoding.UTF8.GetByteCount(text);
        return bytes > MaxBytes
            ? new Refusal(ErrorCode.BodyTooLarge, $"{field} is {bytes} bytes long; at most {MaxBytes} bytes of UTF-8 are allowed.")
            : null;
    }

    private static Refusal Refuse(string detail) => new(ErrorCode.InvalidRequest, detail);
}
