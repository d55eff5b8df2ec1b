namespace RealtimeStreams.ChunkLog.Records;

/// <summary>Where things are in a record: the body of one JetStream message, little endian.</summary>
/// <remarks>
/// <code>
/// offset  size  what
///      0     1  version, 1
///      1     1  flags, see below
///      2     1  outcome of the stream, 0 unless End is set
///      3     1  number of producers, 0 to 64
///      4     2  number of chunks, 0 to 1,024
///      6     2  reserved, 0
///      8     8  index of the first chunk
///     16     8  bytes of all the stream's chunks, up to and with this record
///     24     8  time, Unix milliseconds: when the earliest chunk of the record was admitted, or the end; of a record with neither, of the last before
///     32     8  nonce: tells a writer whether a record is the one that it sent
///     40     8  JetStream sequence of the stream's last earlier record with idempotency keys, 0: none
///     48     4  bytes of the address
///     52     4  bytes of the extras
///     56        producers, the last used first: u8 length, id, u32 epoch, i64 last sequence, i64 last index
///               chunks: u32 end within the chunk bytes, u16 milliseconds after the time (saturated), u8 producer (255: none), u8 kind
///               address: environment, run and key in UTF-8 with 0 bytes between, only when the subject holds a digest
///               extras: u8 type, u16 first chunk, u16 chunks, u16 length, bytes. See below; other types are skipped
///               chunk bytes, each chunk's behind its attributes
/// </code>
/// A chunk's kind: bits 0 and 1 its form (<see cref="ChunkForm"/>), bit 7 whether it has attributes: u32 length, then what <see cref="ChunkAttributes"/>
/// says. The others are 0. Extras:
/// <code>
/// type  what
///    3  the stream's state after this record, always the first extra: i64 trim point, i64 last timestamp, fencing token in UTF-8.
///       Only where there is a trim point or a token, or where the record has no chunks
///    2  timestamps that are not the times of admission, before the keys: i64 for all the chunks it stands for, or one for each
///    1  idempotency key in UTF-8
/// </code>
/// All of it is in the body, because a header costs the broker 3 microseconds a message. The producer table is in every record, so
/// that the last record alone restores a writer; so is the state. A record without chunks tells how far the stream expired; where the stream has ended, it
/// tells the end again, because it is the last record then.
/// </remarks>
internal static class RecordLayout
{
    public const byte Version = 1;
    public const int FixedBytes = 56;
    public const int ProducerBytes = 1 + 4 + 8 + 8;
    public const int ChunkBytes = 8;
    public const int ExtraBytes = 1 + 2 + 2 + 2;
    public const byte NoProducer = 255;
    public const byte ExtraIdempotencyKey = 1;
    public const byte ExtraTimestamps = 2;
    public const byte ExtraState = 3;
    public const int MaxProducers = 64;

    /// <summary>Packing stops here: the knee between latency and throughput (64 KiB records reach 80 % of what 256 KiB do, at a fifth of the delay).</summary>
    public const int SoftBytes = 64 * 1024;

    /// <summary>
    /// The most that a record adds to its chunk bytes: 56 fixed + 64 producers x (21 + 64) + 1,024 chunks x 8 + an address of
    /// 64 + 256 + 256 + 2 + a state of 7 + 16 + 36 + one batch's key of 7 + 128 and timestamps of 7 + 1,024 x 8 = 22,659. The extras of further
    /// batches count as chunk bytes while packing. Rounded up.
    /// </summary>
    public const int MaxOverhead = 24 * 1024;

    [Flags]
    public enum Flags : byte
    {
        None = 0,
        End = 1,
    }
}
