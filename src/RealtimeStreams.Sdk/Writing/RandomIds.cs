using System.Buffers.Text;
using System.Security.Cryptography;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk.Writing;

/// <summary>Names that nobody else has.</summary>
internal static class RandomIds
{
    public static ProducerId NewProducer() => ProducerId.Parse(New());

    /// <summary>128 random bits as 22 characters of URL-safe base64.</summary>
    public static string New()
    {
        Span<byte> bits = stackalloc byte[16];
        RandomNumberGenerator.Fill(bits);
        return Base64Url.EncodeToString(bits);
    }

    /// <summary>An id for a run, in the order of time.</summary>
    public static string NewRun(DateTimeOffset now) => $"run_{Guid.CreateVersion7(now):N}";
}
