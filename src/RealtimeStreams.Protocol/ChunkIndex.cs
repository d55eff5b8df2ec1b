using System.Globalization;

namespace RealtimeStreams.Protocol;

/// <summary>A chunk's dense position in its stream: 0, 1, 2 and so on with no holes, the same for every reader for ever.</summary>
/// <param name="Value">The position, 0 or more.</param>
public readonly record struct ChunkIndex(long Value) : IComparable<ChunkIndex>
{
    /// <summary>The index of a stream's first chunk.</summary>
    public static readonly ChunkIndex Zero;

    /// <summary>The index of the chunk after this one.</summary>
    public ChunkIndex Next => new(Value + 1);

    /// <summary>The index <paramref name="chunks"/> further on.</summary>
    public ChunkIndex Plus(long chunks) => new(Value + chunks);

    /// <inheritdoc />
    public int CompareTo(ChunkIndex other) => Value.CompareTo(other.Value);

    /// <inheritdoc />
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether <paramref name="left"/> lies before <paramref name="right"/>.</summary>
    public static bool operator <(ChunkIndex left, ChunkIndex right) => left.Value < right.Value;

    /// <summary>Whether <paramref name="left"/> lies behind <paramref name="right"/>.</summary>
    public static bool operator >(ChunkIndex left, ChunkIndex right) => left.Value > right.Value;

    /// <summary>Whether <paramref name="left"/> does not lie behind <paramref name="right"/>.</summary>
    public static bool operator <=(ChunkIndex left, ChunkIndex right) => left.Value <= right.Value;

    /// <summary>Whether <paramref name="left"/> does not lie before <paramref name="right"/>.</summary>
    public static bool operator >=(ChunkIndex left, ChunkIndex right) => left.Value >= right.Value;
}
