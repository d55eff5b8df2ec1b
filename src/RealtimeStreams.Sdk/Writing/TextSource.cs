using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;

namespace RealtimeStreams.Sdk.Writing;

/// <summary>Texts as sources of chunks.</summary>
internal static class TextSource
{
    private const int MaxCharacters = 4096;

    public static async IAsyncEnumerable<string> ReadAsync(Stream source, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        using var reader = new StreamReader(source, Encoding.UTF8, detectEncodingFromByteOrderMarks: true, leaveOpen: true);
        await foreach (var text in ReadAsync(reader, cancellationToken).ConfigureAwait(false)) yield return text;
    }

    public static async IAsyncEnumerable<string> ReadAsync(TextReader source, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        var buffer = ArrayPool<char>.Shared.Rent(MaxCharacters);
        try
        {
            var kept = 0; // A high surrogate whose partner has not come.
            while (true)
            {
                var read = await source.ReadAsync(buffer.AsMemory(kept, MaxCharacters - kept), cancellationToken).ConfigureAwait(false);
                var have = kept + read;
                kept = read > 0 && char.IsHighSurrogate(buffer[have - 1]) ? 1 : 0;
                if (have > kept) yield return new string(buffer, 0, have - kept);
                if (read == 0) break;
                if (kept > 0) buffer[0] = buffer[have - 1];
            }
        }
        finally
        {
            ArrayPool<char>.Shared.Return(buffer);
        }
    }
}
