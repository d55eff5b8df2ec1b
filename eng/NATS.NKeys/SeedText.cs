using System.Buffers.Binary;
using System.Security.Cryptography;

using Org.BouncyCastle.Math.EC.Rfc8032;

namespace NATS.NKeys;

/// <summary>
/// A seed as text: base32 of two bytes of prefixes, the 32 bytes of the secret, and a checksum of both, little end first. The prefixes are the
/// five bits of a seed and then the five of the public key's kind, so that the text begins with two letters, such as SU.
/// </summary>
internal static class SeedText
{
    public static (byte PublicPrefix, byte[] Secret) Decode(ReadOnlySpan<char> seed)
    {
        Span<byte> bytes = stackalloc byte[2 + Ed25519.SecretKeySize + 2];
        try
        {
            if (!Base32.TryDecode(seed, bytes)) throw new NKeysException("A seed is 58 letters and digits of base32.");
            if (BinaryPrimitives.ReadUInt16LittleEndian(bytes[^2..]) != Crc16.Compute(bytes[..^2]))
                throw new NKeysException("The seed's checksum is wrong: it was mistyped or cut.");
            if ((bytes[0] & 0xF8) != Prefix.Seed) throw new NKeysException("Not a seed: a seed begins with S.");

            var publicPrefix = (byte)(((bytes[0] & 0x07) << 5) | ((bytes[1] & 0xF8) >> 3));
            if (!Prefix.IsSigning(publicPrefix)) throw new NKeysException("Not a seed of a key that signs: its second letter is A, C, N, O or U.");
            return (publicPrefix, bytes.Slice(2, Ed25519.SecretKeySize).ToArray());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }
}
