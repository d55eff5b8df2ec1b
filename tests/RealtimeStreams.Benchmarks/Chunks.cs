using System.Buffers.Text;
using System.Text;

namespace RealtimeStreams.Benchmarks;

/// <summary>Chunks of exact sizes, as JSON strings of letters, which no side can compress or parse faster than the other.</summary>
internal static class Chunks
{
    /// <summary>A chunk of exactly so many bytes, quotes included.</summary>
    public static byte[] OfBytes(int bytes)
    {
        var random = new Random(20261122);
        var text = new StringBuilder(bytes).Append('"');
        while (text.Length < bytes - 1) text.Append((char)random.Next('a', 'z' + 1));
        return Encoding.ASCII.GetBytes(text.Append('"').ToString());
    }

    /// <summary>A chunk that carries a number: a JSON string of exactly so many bytes that begins with its ten digits.</summary>
    public static byte[] Numbered(int number, int bytes)
    {
        var chunk = OfBytes(bytes);
        Utf8Formatter.TryFormat(number, chunk.AsSpan(1, 10), out _, new System.Buffers.StandardFormat('D', 10));
        return chunk;
    }

    /// <summary>The number that a chunk carries.</summary>
    public static int NumberOf(ReadOnlySpan<byte> chunk) =>
        chunk.Length > 11 && Utf8Parser.TryParse(chunk.Slice(1, 10), out int number, out _) ? number : -1;
}
