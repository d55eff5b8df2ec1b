using System.Buffers.Text;
using System.Security.Cryptography;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Registering;

/// <summary>Makes run ids for those who bring none.</summary>
internal static class RunIds
{
    /// <summary>A new id: <c>run_</c> and 22 characters for 128 random bits, so that two are never the same.</summary>
    public static RunId Make() => RunId.Parse("run_" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)));
}
