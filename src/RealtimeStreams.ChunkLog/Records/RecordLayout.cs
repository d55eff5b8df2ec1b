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
///     24     8  time, Unix milliseconds: when the earliest chunk of the record was admitted
///     32     8  nonce: tells a writer whether a record is the one that it sent
///     40     8  JetStream sequence of the stream's last earlier record with idempotency keys, 0: none
///     48     4  bytes of the address
///     52     4  bytes of the extras
///     56        producers, the last used first: u8 length, id, u32 epoch, i64 last sequence, i64 last index
///               chunks: u32 end within the chunk bytes, u16 milliseconds after the time (saturated), u8 producer (255: none), u8 0
///               address: environment, run and key in UTF-8 with 0 bytes between, only when the subject holds a digest
///               extras: u8 type, u16 first chunk, u16 chunks, u16 length, bytes. Type 1: idempotency key. Others are skipped
///               chunk bytes
/// </code>
/// All of it is in the body, because a header costs the broker 3 microseconds a message. The producer table is in every record, so
/// that the last record alone restores a writer.
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
    public const int MaxProducers = 64;

    /// <summary>Packing stops here: the knee between latency and throughput (64 KiB records reach 80 % of what 256 KiB do, at a fifth of the delay).</summary>
    public const int SoftBytes = 64 * 1024;

    /// <summary>
    /// The most that a record adds to its chunk bytes: 56 fixed + 64 producers x (21 + 64) + 1,024 chunks x 8 + an address of
    /// 64 + 256 + 256 + 2 + one extra of 7 + 128 = 14,401. Further extras count as chunk bytes while packing. Rounded up.
    /// </summary>
    public const int MaxOverhead = 24 * 1024;

    [Flags]
    public enum Flags : byte
    {
        None = 0,
        End = 1,
    }
}
