using System.Buffers.Binary;

namespace NATS.NKeys.Tests;

public class KeyPairTests
{
    // The pair that the documentation of nkeys.net shows.
    private const string OperatorSeed = "SOAELH6NJCEK4HST5644G4HK7TOAFZGRRJHNM4EUKUY7PPNDLIKO5IH4JM";
    private const string OperatorPublicKey = "ODPWIBQJVIQ42462QAFI2RKJC4RZHCQSIVPRDDHWFCJAP52NRZK6Z2YC";

    /// <summary>RFC 8032, section 7.1, tests 1 to 3: secret, public key, message, signature.</summary>
    public static TheoryData<string, string, string, string> Rfc8032 => new()
    {
        {
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        },
        {
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        },
        {
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        },
    };

    [Fact]
    public void A_documented_seed_gives_the_documented_public_key()
    {
        using var pair = KeyPair.FromSeed(OperatorSeed);

        Assert.Equal(OperatorPublicKey, pair.GetPublicKey());
    }

    [Theory, MemberData(nameof(Rfc8032))]
    public void Public_keys_and_signatures_are_those_of_rfc_8032(string secret, string publicKey, string message, string signature)
    {
        using var pair = KeyPair.FromSeed(Seed("SU", Convert.FromHexString(secret)));
        var signed = new byte[64];

        pair.Sign(Convert.FromHexString(message), signed);

        Assert.Equal(signature, Convert.ToHexStringLower(signed));
        Assert.Equal(KeyText.Encode(20 << 3, Convert.FromHexString(publicKey)), pair.GetPublicKey());
    }

    [Theory]
    [InlineData("SA", 'A')]
    [InlineData("SC", 'C')]
    [InlineData("SN", 'N')]
    [InlineData("SO", 'O')]
    [InlineData("SU", 'U')]
    public void The_public_key_says_the_kind_that_the_seed_says(string letters, char kind)
    {
        using var pair = KeyPair.FromSeed(Seed(letters, new byte[32]));

        Assert.Equal(kind, pair.GetPublicKey()[0]);
        Assert.Equal(56, pair.GetPublicKey().Length);
    }

    [Theory]
    [InlineData("PU")] // A private key.
    [InlineData("UA")] // A public key's letter in front.
    [InlineData("SX")] // A curve key, which encrypts.
    [InlineData("SS")]
    public void A_wrong_prefix_is_refused(string letters)
    {
        var exception = Assert.Throws<NKeysException>(() => KeyPair.FromSeed(Seed(letters, new byte[32])));

        Assert.StartsWith("Not a seed", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_public_key_is_no_seed() => Assert.Throws<NKeysException>(() => KeyPair.FromSeed(OperatorPublicKey));

    [Fact]
    public void Every_mistyped_letter_is_noticed()
    {
        for (var at = 0; at < OperatorSeed.Length; at++)
        {
            var mistyped = OperatorSeed.ToCharArray();
            mistyped[at] = mistyped[at] == 'Q' ? 'R' : 'Q';
            Assert.Throws<NKeysException>(() => KeyPair.FromSeed(mistyped));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData(OperatorSeed + "A")]
    [InlineData(OperatorSeed + "======")]
    [InlineData("SOAELH6NJCEK4HST5644G4HK7TOAFZGRRJHNM4EUKUY7PPNDLIKO5IH4J")]
    [InlineData("soaelh6njcek4hst5644g4hk7toafzgrrjhnm4eukuy7ppndliko5ih4jm")]
    [InlineData("SOAELH6NJCEK4HST5644G4HK7TOAFZGRRJHNM4EUKUY7PPNDLIKO5IH4J1")]
    [InlineData("SOAELH6NJCEK4HST5644G4HK7TOAFZGRRJHNM4EUKUY7PPNDLIKO5IH4Jü")]
    public void A_wrong_length_or_letter_is_refused_without_telling_the_seed(string seed)
    {
        var exception = Assert.Throws<NKeysException>(() => KeyPair.FromSeed(seed));

        Assert.DoesNotContain("ELH6NJ", exception.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_disposed_pair_signs_nothing()
    {
        var pair = KeyPair.FromSeed(OperatorSeed);
        pair.Dispose();

        Assert.Throws<ObjectDisposedException>(() => pair.Sign(new byte[1], new byte[64]));
        Assert.Throws<ObjectDisposedException>(pair.GetPublicKey);
    }

    [Fact]
    public void A_signature_needs_its_room()
    {
        using var pair = KeyPair.FromSeed(OperatorSeed);

        Assert.Throws<ArgumentException>(() => pair.Sign(new byte[1], new byte[63]));
    }

    /// <summary>A seed that begins with the two letters given, with a right checksum.</summary>
    internal static string Seed(string letters, byte[] secret)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        var prefixes = (alphabet.IndexOf(letters[0], StringComparison.Ordinal) << 11) | (alphabet.IndexOf(letters[1], StringComparison.Ordinal) << 6);
        var bytes = new byte[36];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)prefixes);
        secret.CopyTo(bytes, 2);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(34), Crc16.Compute(bytes.AsSpan(0, 34)));
        return Base32.Encode(bytes);
    }
}
