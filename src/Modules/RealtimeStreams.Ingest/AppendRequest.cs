using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest;

/// <summary>What a body is, and who sends it.</summary>
/// <param name="Body">How the body holds its chunks.</param>
/// <param name="Producer">Who writes; null: nobody who would retry, so that nothing is deduplicated.</param>
/// <param name="IdempotencyKey">Recognises a retry of the whole body for ten minutes; 1 to 128 bytes of UTF-8. Not for <see cref="BodyKind.Lines"/>.</param>
/// <param name="BodyLength">The body's bytes, where they are known beforehand.</param>
/// <param name="WriterLease">How long the stream's writers may be gone from now on, within <see cref="RunRegistry.LeaseBounds"/>; null: as it is.</param>
public sealed record AppendRequest(
    BodyKind Body,
    ProducerPosition? Producer = null,
    string? IdempotencyKey = null,
    long? BodyLength = null,
    TimeSpan? WriterLease = null);

/// <summary>How a body holds its chunks.</summary>
public enum BodyKind
{
    /// <summary>One JSON value is one chunk.</summary>
    Value,

    /// <summary>A JSON array; each of its elements is a chunk, and all are stored in one step or none.</summary>
    Array,

    /// <summary>UTF-8 text; all of it is one chunk, a JSON string.</summary>
    Text,

    /// <summary>Lines of JSON without an end in sight. Each line that is not blank is a chunk, stored as it comes. While it is open the stream has a writer.</summary>
    Lines,
}

/// <summary>Where a producer stands.</summary>
/// <param name="Id">The producer.</param>
/// <param name="Epoch">Its incarnation.</param>
/// <param name="Sequence">Its own number of the first chunk, 0 or more.</param>
public readonly record struct ProducerPosition(ProducerId Id, uint Epoch, long Sequence);

/// <summary>How a stream ends.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="FinalChunk">A last chunk: one JSON value.</param>
/// <param name="Producer">Who writes the last chunk.</param>
public sealed record CloseRequest(Outcome Outcome, ReadOnlyMemory<byte>? FinalChunk = null, ProducerPosition? Producer = null);
