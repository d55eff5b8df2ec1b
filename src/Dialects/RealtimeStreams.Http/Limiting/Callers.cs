using System.Buffers.Binary;
using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;

namespace RealtimeStreams.Http.Limiting;

/// <summary>How callers are told apart without keeping who they are.</summary>
internal static class Callers
{
    /// <summary>A token, by 128 bits of its signature: nobody can make another token with the same, and the token cannot be made of it.</summary>
    public static UInt128 MarkOf(string token)
    {
        var signature = token.AsSpan(token.LastIndexOf('.') + 1);
        Span<byte> bytes = stackalloc byte[18];
        return signature.Length >= 24 && Base64Url.TryDecodeFromChars(signature[..24], bytes, out var written) && written >= 16
            ? BinaryPrimitives.ReadUInt128BigEndian(bytes)
            : default;
    }

    /// <summary>An address; of IPv6 the half that a network has, because one host has the other half to itself.</summary>
    public static UInt128 MarkOf(IPAddress? address)
    {
        if (address is null) return default; // No network: all of this machine.
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out var written)) return default;
        if (written == 4) return BinaryPrimitives.ReadUInt32BigEndian(bytes);
        var whole = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        return address is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: true } ? whole & uint.MaxValue : whole >> 64 << 64;
    }
}
