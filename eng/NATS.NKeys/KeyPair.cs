using System.Security.Cryptography;

using Org.BouncyCastle.Math.EC.Rfc8032;

namespace NATS.NKeys;

/// <summary>An Ed25519 key pair of the NATS ecosystem, made from its seed. It can say its public key and sign.</summary>
public sealed class KeyPair : IDisposable
{
    private readonly byte[] secret;
    private readonly byte publicPrefix;
    private bool disposed;

    private KeyPair(byte[] secret, byte publicPrefix)
    {
        this.secret = secret;
        this.publicPrefix = publicPrefix;
    }

    /// <summary>Reads a seed, such as <c>SUA…</c> of a user.</summary>
    /// <exception cref="NKeysException">It is no seed: not base32, of another length, with a wrong checksum or prefix.</exception>
    public static KeyPair FromSeed(ReadOnlySpan<char> seed)
    {
        var (publicPrefix, secret) = SeedText.Decode(seed);
        return new KeyPair(secret, publicPrefix);
    }

    /// <summary>The public key as text, such as <c>UA…</c> of a user.</summary>
    public string GetPublicKey()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        var publicKey = new byte[Ed25519.PublicKeySize];
        Ed25519.GeneratePublicKey(secret, 0, publicKey, 0);
        return KeyText.Encode(publicPrefix, publicKey);
    }

    /// <summary>Signs <paramref name="message"/> into <paramref name="signature"/>, of which it takes the first 64 bytes.</summary>
    public void Sign(ReadOnlyMemory<byte> message, Memory<byte> signature)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (signature.Length < Ed25519.SignatureSize)
            throw new ArgumentException($"A signature takes {Ed25519.SignatureSize} bytes.", nameof(signature));
        var bytes = new byte[Ed25519.SignatureSize];
        Ed25519.Sign(secret, 0, message.ToArray(), 0, message.Length, bytes, 0);
        bytes.CopyTo(signature);
    }

    /// <summary>Overwrites the secret.</summary>
    public void Dispose()
    {
        disposed = true;
        CryptographicOperations.ZeroMemory(secret);
    }
}
