namespace NATS.NKeys;

/// <summary>Base32 of RFC 4648, section 6, without padding.</summary>
internal static class Base32
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new char[((bytes.Length * 8) + 4) / 5];
        var (bits, count, written) = (0, 0, 0);
        foreach (var value in bytes)
        {
            bits = ((bits << 8) | value) & 0xFFF; // At most 4 bits were left, and 8 come.
            for (count += 8; count >= 5; count -= 5)
                text[written++] = Alphabet[(bits >> (count - 5)) & 31];
        }

        if (count > 0) text[written] = Alphabet[(bits << (5 - count)) & 31];
        return new string(text);
    }

    /// <summary>Fills <paramref name="bytes"/> from text that stands for exactly so many bytes; false when it does not.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> bytes)
    {
        if (text.Length != ((bytes.Length * 8) + 4) / 5) return false;
        var (bits, count, written) = (0, 0, 0);
        foreach (var letter in text)
        {
            var value = letter switch
            {
                >= 'A' and <= 'Z' => letter - 'A',
                >= '2' and <= '7' => letter - '2' + 26,
                _ => -1,
            };
            if (value < 0) return false;
            bits = ((bits << 5) | value) & 0xFFF; // At most 7 bits were left, and 5 come.
            if ((count += 5) < 8) continue;
            count -= 8;
            bytes[written++] = (byte)(bits >> count);
        }

        return (bits & ((1 << count) - 1)) == 0; // What is left over is filling, and zero.
    }
}
