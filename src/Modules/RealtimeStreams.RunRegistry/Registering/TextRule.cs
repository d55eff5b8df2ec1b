using System.Globalization;
using System.Text;

namespace RealtimeStreams.RunRegistry.Registering;

/// <summary>The rule that task ids and tags share: they are compared byte by byte, listed and put into addresses.</summary>
internal static class TextRule
{
    public const int MaxTaskIdBytes = 256;
    public const int MaxIdempotencyKeyBytes = 2048; // With environment and task within the 2,704 bytes of an index entry of PostgreSQL.
    public const int MaxTags = 32;
    public const int MaxTagBytes = 128;

    /// <summary>Says what is wrong with the registration's texts, naming the field; null when nothing is.</summary>
    public static string? FindFault(RunRegistration registration)
    {
        if (registration.TaskId is { } taskId && FindFault(taskId, MaxTaskIdBytes) is { } taskFault) return $"taskId {taskFault}.";
        if (registration.IdempotencyKey is { } key)
        {
            if (FindFault(key, MaxIdempotencyKeyBytes) is { } keyFault) return $"idempotencyKey {keyFault}.";
            if (registration.TaskId is null) return "idempotencyKey needs a taskId, whose runs it tells apart.";
        }
        if (registration is { Triggered: true, TaskId: null }) return "A run that a worker shall claim needs a taskId.";
        if (registration.Tags.Count > MaxTags) return $"tags holds {registration.Tags.Count} tags; at most {MaxTags} are allowed.";
        for (var i = 0; i < registration.Tags.Count; i++)
            if (FindFault(registration.Tags[i], MaxTagBytes) is { } tagFault) return $"tags[{i}] {tagFault}.";
        return null;
    }

    /// <summary>Makes text storable: PostgreSQL takes neither U+0000 nor half a surrogate pair.</summary>
    public static string MakeStorable(string text)
    {
        if (text.AsSpan().IndexOf('\0') < 0 && !HasLoneSurrogate(text)) return text;
        var storable = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) storable.Append((rune.Value == 0 ? Rune.ReplacementChar : rune).ToString());
        return storable.ToString();
    }

    /// <summary>Says what is wrong with one text, as the rest of a sentence; null when nothing is.</summary>
    public static string? FindFault(string? text, int maxBytes)
    {
        if (string.IsNullOrEmpty(text)) return "is empty";
        if (HasLoneSurrogate(text)) return "contains a surrogate without its partner";
        foreach (var character in text)
            if (char.IsControl(character)) return string.Create(CultureInfo.InvariantCulture, $"contains the control character U+{(int)character:X4}");
        var bytes = Encoding.UTF8.GetByteCount(text);
        return bytes > maxBytes
            ? string.Create(CultureInfo.InvariantCulture, $"is {bytes} bytes long; at most {maxBytes} bytes of UTF-8 are allowed")
            : null;
    }

    /// <summary>Whether the text is no Unicode text: UTF-8 cannot tell it.</summary>
    public static bool HasLoneSurrogate(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return true;
            i++;
        }
        return false;
    }
}
