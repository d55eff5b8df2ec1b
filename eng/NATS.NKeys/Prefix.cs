namespace NATS.NKeys;

/// <summary>The first byte of a key says what it is: five bits, so that they are the first letter in base32.</summary>
internal static class Prefix
{
    public const byte Seed = 18 << 3; // S

    private const byte Account = 0 << 3; // A
    private const byte Cluster = 2 << 3; // C
    private const byte Server = 13 << 3; // N
    private const byte Operator = 14 << 3; // O
    private const byte User = 20 << 3; // U

    /// <summary>Whether it is one of a public key that signs. Curve keys (X) encrypt and are none.</summary>
    public static bool IsSigning(byte prefix) => prefix is Account or Cluster or Server or Operator or User;
}
