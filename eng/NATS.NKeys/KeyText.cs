using System.Buffers.Binary;

namespace NATS.NKeys;

/// <summary>A public key as text: base32 of its prefix, its 32 bytes, and a checksum of both, little end first.</summary>
internal static class KeyText
{
    public static string Encode(byte prefix, ReadOnlySpan<byte> publicKey)
    {
        Span<byte> bytes = stackalloc byte[1 + publicKey.Length + 2];
        bytes[0] = prefix;
        publicKey.CopyTo(bytes[1..]);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[^2..], Crc16.Compute(bytes[..^2]));
        return Base32.Encode(bytes);
    }
}
