using RealtimeStreams.ChunkLog;

namespace RealtimeStreams.Dialects.S2.Records;

/// <summary>S2's measure of records, by which its limits count.</summary>
internal static class Metering
{
    /// <summary>The most records of a batch, appended or read.</summary>
    public const int MaxRecords = 1000;

    /// <summary>The most metered bytes of a record and of a batch, appended or read: 1 MiB, inclusive.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>What a record without headers and body measures.</summary>
    public const int RecordBytes = 8;

    /// <summary>What a header measures beside its name and its value.</summary>
    public const int HeaderBytes = 2;

    /// <summary>The metered size of a stored chunk, as its S2 readers see it.</summary>
    public static int SizeOf(LogRecord record, int position)
    {
        var attributes = record.AttributesOf(position);
        var size = RecordBytes + Envelope.SizeOf(record, position, attributes);
        foreach (var header in attributes) size += HeaderBytes + header.Name.Length + header.Value.Length;
        return size;
    }
}
