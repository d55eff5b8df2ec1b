using RealtimeStreams.ChunkLog.Appending;
using RealtimeStreams.ChunkLog.Records;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Forwarding;

/// <summary>Requests on their way from one node to another, and what they came to. Both nodes run the same version or refuse: the first byte says which.</summary>
internal static class ForwardedAppends
{
    private const byte Version = 3;

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
            writer.Write(request.Limits.RunBytesLeft);
            writer.Write(request.Limits.MaxRunBytes);
            writer.Write(request.AdmittedAt.ToUnixTimeMilliseconds());
            writer.Write(request.Batch is not null);
            if (request.Batch is not { } batch) continue;
            WriteBatch(writer, batch);
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
        catch (Exception exception) when (exception is EndOfStreamException or FormatException or ArgumentException or InvalidOperationException)
        {
            throw new InvalidDataException("The message is not a forwarded append.", exception);
        }
    }

    private static AppendRequest ReadRequest(BinaryReader reader, long enqueuedAt)
    {
        var end = (Outcome)reader.ReadByte();
        var limits = new StreamLimits(reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
        var admittedAt = DateTimeOffset.FromUnixTimeMilliseconds(reader.ReadInt64());
        var batch = reader.ReadBoolean() ? ReadBatch(reader) : null;
        return new AppendRequest(batch, end == 0 ? null : end, limits, admittedAt, enqueuedAt) { HandedOver = true };
    }

    private static void WriteBatch(BinaryWriter writer, ChunkBatch batch)
    {
        writer.Write(batch.Producer?.Value ?? "");
        writer.Write(batch.Epoch);
        writer.Write(batch.FirstSequence);
        WriteOptional(writer, batch.IdempotencyKey);
        writer.Write(batch.ExpectedIndex ?? -1);
        WriteOptional(writer, batch.FencingToken);
        WriteOptional(writer, batch.NewFencingToken);
        writer.Write(batch.Trim?.Index ?? -1);
        writer.Write((ushort)(batch.Trim?.Position ?? 0));
        writer.Write(batch.UncappedTimestamps);
        writer.Write((ushort)batch.Count);
        writer.Write(!batch.Kinds.IsEmpty);
        writer.Write(!batch.Timestamps.IsEmpty);
        foreach (var end in batch.Ends) writer.Write(end);
        writer.Write(batch.Kinds);
        foreach (var timestamp in batch.Timestamps) writer.Write(timestamp);
        writer.Write(batch.Bytes);
    }

    private static ChunkBatch ReadBatch(BinaryReader reader)
    {
        var producer = reader.ReadString();
        var batch = new ChunkBatch
        {
            Producer = producer.Length == 0 ? null : ProducerId.Parse(producer),
            Epoch = reader.ReadUInt32(),
            FirstSequence = reader.ReadInt64(),
            IdempotencyKey = ReadOptional(reader),
            ExpectedIndex = reader.ReadInt64() is var index and >= 0 ? index : null,
            FencingToken = ReadOptional(reader),
            NewFencingToken = ReadOptional(reader),
        };
        try
        {
            var trim = (Index: reader.ReadInt64(), Position: (int)reader.ReadUInt16());
            batch.Trim = trim.Index < 0 ? null : trim;
            batch.UncappedTimestamps = reader.ReadBoolean();
            ReadChunks(reader, batch);
            return batch;
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }

    private static void ReadChunks(BinaryReader reader, ChunkBatch batch)
    {
        var ends = new int[reader.ReadUInt16()];
        bool hasKinds = reader.ReadBoolean(), hasTimestamps = reader.ReadBoolean();
        for (var i = 0; i < ends.Length; i++) ends[i] = reader.ReadInt32();
        var kinds = hasKinds ? reader.ReadBytes(ends.Length) : [];
        if (hasKinds && kinds.Length < ends.Length) throw new EndOfStreamException();
        var timestamps = hasTimestamps ? new long[ends.Length] : [];
        for (var i = 0; i < timestamps.Length; i++) timestamps[i] = reader.ReadInt64();
        var start = 0;
        for (var i = 0; i < ends.Length; i++)
        {
            var length = ends[i] - start;
            if (length < 0 || length > reader.BaseStream.Length) throw new EndOfStreamException();
            if (reader.Read(batch.GetSpan(Math.Max(1, length))[..length]) != length) throw new EndOfStreamException();
            batch.Advance(length);
            var kind = hasKinds ? kinds[i] : default;
            if (ChunkKind.FindFault(kind, batch.Pending) is { } fault) throw new FormatException(fault);
            batch.EndChunk(length, kind, hasTimestamps ? Math.Max(timestamps[i], ChunkBatch.NoTimestamp) : ChunkBatch.NoTimestamp);
            start = ends[i];
        }
    }

    private static void WriteOptional(BinaryWriter writer, string? text)
    {
        writer.Write(text is not null);
        if (text is not null) writer.Write(text);
    }

    private static string? ReadOptional(BinaryReader reader) => reader.ReadBoolean() ? reader.ReadString() : null;
}
