namespace NATS.NKeys;

/// <summary>CRC-16/XMODEM: polynomial 0x1021, starting at 0.</summary>
internal static class Crc16
{
    public static ushort Compute(ReadOnlySpan<byte> bytes)
    {
        var crc = 0;
        foreach (var value in bytes)
        {
            crc ^= value << 8;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
        }

        return (ushort)crc;
    }
}
