namespace RealtimeStreams.Dialects.S2.Wire;

/// <summary>Reads a protobuf message without allocating. The first fault ends it: then there are no more fields, and <see cref="Failed"/> says so.</summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    private const int MaxVarintBytes = 10;

    private ReadOnlySpan<byte> rest = message;
    private WireType type;

    private enum WireType
    {
        Varint = 0,
        Fixed64 = 1,
        Bytes = 2,
        Fixed32 = 5,
    }

    /// <summary>Whether the message is no protobuf, or a field has another type than was asked for.</summary>
    public bool Failed { get; private set; }

    /// <summary>Goes to the next field, which must be read or skipped then.</summary>
    /// <returns>False at the end, or after a fault.</returns>
    public bool TryNext(out uint field)
    {
        field = 0;
        if (rest.IsEmpty) return false;
        var tag = TakeVarint();
        type = (WireType)(tag & 7);
        if (tag >> 3 is 0 or > 536_870_911) Fail();
        else if (!Failed) field = (uint)(tag >> 3);
        return !Failed;
    }

    public ulong ReadVarint()
    {
        if (type == WireType.Varint) return TakeVarint();
        Fail();
        return 0;
    }

    public ReadOnlySpan<byte> ReadBytes()
    {
        if (type == WireType.Bytes) return Take(TakeVarint());
        Fail();
        return default;
    }

    public void Skip()
    {
        switch (type)
        {
            case WireType.Varint: TakeVarint(); break;
            case WireType.Fixed64: Take(8); break;
            case WireType.Bytes: Take(TakeVarint()); break;
            case WireType.Fixed32: Take(4); break;
            default: Fail(); break; // Groups went with proto2.
        }
    }

    private ulong TakeVarint()
    {
        ulong value = 0;
        for (var i = 0; i < Math.Min(rest.Length, MaxVarintBytes); i++)
        {
            // The tenth byte has room for the 64th bit only.
            if (i == MaxVarintBytes - 1 && rest[i] > 1) break;
            value |= (ulong)(rest[i] & 0x7F) << (7 * i);
            if (rest[i] >= 0x80) continue;
            rest = rest[(i + 1)..];
            return value;
        }
        Fail();
        return 0;
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)rest.Length)
        {
            Fail();
            return default;
        }
        var taken = rest[..(int)length];
        rest = rest[(int)length..];
        return taken;
    }

    private void Fail()
    {
        Failed = true;
        rest = default;
    }
}
