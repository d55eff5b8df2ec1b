using RealtimeStreams.ChunkLog.Appending;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Forwarding;

/// <summary>Requests on their way from one node to another, and what they came to. Both nodes run the same version or refuse: the first byte says which.</summary>
internal static class ForwardedAppends
{
    private const byte Version = 1;

    public static byte[] Write(StreamAddress stream, IReadOnlyList<AppendRequest> requests)
    {
        using var memory = new MemoryStream();
        using var writer = new BinaryWriter(memory);
        writer.Write(Version);
        writer.Write(stream.Environment.Value);
        writer.Write(stream.Run.Value);
        writer.Write(stream.Key.Value);
        writer.Write((ushort)requests.Count);
        foreach (var request in requests)
        {
            writer.Write((byte)(request.End ?? 0));
            writer.Write(request.Limits.MaxBytes);
            writer.Write(request.Limits.MaxChunks);
            writer.Write(request.AdmittedAt.ToUnixTimeMilliseconds());
            writer.Write(request.Batch is not null);
            if (request.Batch is not { } batch) continue;
            writer.Write(batch.Producer?.Value ?? "");
            writer.Write(batch.Epoch);
            writer.Write(batch.FirstSequence);
            writer.Write(batch.IdempotencyKey ?? "");
            writer.Write((ushort)batch.Count);
            foreach (var end in batch.Ends) writer.Write(end);
            writer.Write(batch.Bytes);
        }
        writer.Flush();
        return memory.ToArray();
    }

    /// <exception cref="InvalidDataException">The message is not one of this version.</exception>
    public static (StreamAddress Stream, List<AppendRequest> Requests) Read(byte[] message, long enqueuedAt)
    {
        using var reader = new BinaryReader(new MemoryStream(message));
        try
        {
            if (reader.ReadByte() != Version) throw new InvalidDataException("The message is of another version.");
            var stream = new StreamAddress(
                EnvironmentId.Parse(reader.ReadString()), RunId.Parse(reader.ReadString()), StreamKey.Parse(reader.ReadString()));
            var requests = new List<AppendRequest>();
            for (int left = reader.ReadUInt16(); left > 0; left--) requests.Add(ReadRequest(reader, enqueuedAt));
            return (stream, requests);
        }
        catch (Exception exception) when (exception is EndOfStreamException or FormatException or ArgumentException)
        {
            throw new InvalidDataException("The message is not a forwarded append.", exception);
        }
    }

    private static AppendRequest ReadRequest(BinaryReader reader, long enqueuedAt)
    {
        var end = (Outcome)reader.ReadByte();
        var limits = new StreamLimits(reader.ReadInt64(), reader.ReadInt64());
        var admittedAt = DateTimeOffset.FromUnixTimeMilliseconds(reader.ReadInt64());
        var batch = reader.ReadBoolean() ? ReadBatch(reader) : null;
        return new AppendRequest(batch, end == 0 ? null : end, limits, admittedAt, enqueuedAt) { HandedOver = true };
    }

    private static ChunkBatch ReadBatch(BinaryReader reader)
    {
        var producer = reader.ReadString();
        var epoch = reader.ReadUInt32();
        var sequence = reader.ReadInt64();
        var key = reader.ReadString();
        var ends = new int[reader.ReadUInt16()];
        for (var i = 0; i < ends.Length; i++) ends[i] = reader.ReadInt32();
        var batch = new ChunkBatch(ends.Length == 0 ? 1 : Math.Max(1, ends[^1]))
        {
            Producer = producer.Length == 0 ? null : ProducerId.Parse(producer),
            Epoch = epoch,
            FirstSequence = sequence,
            IdempotencyKey = key.Length == 0 ? null : key,
        };
        var start = 0;
        foreach (var end in ends)
        {
            var length = end - start;
            if (length < 0 || reader.Read(batch.GetSpan(Math.Max(1, length))[..length]) != length) throw new EndOfStreamException();
            batch.Advance(length);
            batch.EndChunk(length);
            start = end;
        }
        return batch;
    }
}
