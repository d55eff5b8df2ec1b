using System.Buffers.Text;
using System.Security.Cryptography;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Naming;

/// <summary>The ids of hidden runs: nobody can guess one, and nobody can register one.</summary>
internal static class HiddenRuns
{
    private const string Prefix = "~stream_";

    /// <summary>22 characters for 128 random bits.</summary>
    private const int Length = 30;

    public static RunId Make() => RunId.Parse(Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)));

    /// <summary>Whether the id has the form of one.</summary>
    public static bool MayBe(RunId run) => run.Value.Length == Length && run.Value.StartsWith(Prefix, StringComparison.Ordinal);
}
