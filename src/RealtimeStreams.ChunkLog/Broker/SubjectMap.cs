using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Broker;

/// <summary>Where a stream lives on the broker: subject <c>rs.{partition}.{environment}.{run}.{key}</c> in shard <c>RS0{partition mod 16}</c>.</summary>
/// <remarks>
/// A token is the id itself if it is 1 to 64 of A-Z a-z 0-9 _ -; else <c>~</c> and its UTF-8 in base64url up to 96 bytes; else <c>~h</c> and
/// the base64url of its SHA-256, the full address then being in every record. The two cannot be confused: an <c>h</c> in the first place of base64url
/// means a first byte of 0x84 to 0x87, which no UTF-8 text starts with.
/// </remarks>
internal sealed class SubjectMap
{
    public const int Shards = 16;
    public const string Prefix = "rs.";
    public const string TailPrefix = "rsl.";

    private SubjectMap(string subject, string shard, string? address)
    {
        Subject = subject;
        Shard = shard;
        Address = address;
    }

    /// <summary>The subject that records are published to.</summary>
    public string Subject { get; }

    /// <summary>The subject that the broker repeats committed records on.</summary>
    public string TailSubject => TailPrefix + Subject;

    /// <summary>The name of the JetStream stream.</summary>
    public string Shard { get; }

    /// <summary>The full address for the record, when the subject holds a digest of a part.</summary>
    public string? Address { get; }

    public static SubjectMap Of(StreamAddress stream)
    {
        var partition = PartitionOf(stream.Environment, stream.Run);
        var key = Token(stream.Key.Value, out var digested);
        var run = RunSubject(partition, stream.Environment, stream.Run, out var digestedRun);
        return new SubjectMap(
            $"{run}.{key}",
            ShardName(partition % Shards),
            digested || digestedRun ? $"{stream.Environment}\0{stream.Run}\0{stream.Key}" : null);
    }

    /// <summary>Whether the stream is one of those that a run's filter names.</summary>
    /// <param name="filter">A filter of <see cref="OfRun"/>, which ends in <c>.&gt;</c>.</param>
    public bool IsIn(string filter) => Subject.AsSpan().StartsWith(filter.AsSpan(0, filter.Length - 1), StringComparison.Ordinal);

    /// <summary>The filter for all streams of a run, and their shard.</summary>
    public static (string Filter, string Shard) OfRun(EnvironmentId environment, RunId run)
    {
        var partition = PartitionOf(environment, run);
        return (RunSubject(partition, environment, run, out _) + ".>", ShardName(partition % Shards));
    }

    public static string ShardName(int shard) => string.Create(CultureInfo.InvariantCulture, $"RS{shard:X2}");

    /// <summary>The 16 subject filters of a shard.</summary>
    public static IReadOnlyList<string> SubjectsOf(int shard) =>
        [.. Enumerable.Range(0, 256 / Shards).Select(i => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{(i * Shards) + shard:x2}.>"))];

    private static string RunSubject(byte partition, EnvironmentId environment, RunId run, out bool digested)
    {
        var environmentToken = Token(environment.Value, out var digestedEnvironment);
        var runToken = Token(run.Value, out var digestedRun);
        digested = digestedEnvironment || digestedRun;
        return string.Create(CultureInfo.InvariantCulture, $"{Prefix}{partition:x2}.{environmentToken}.{runToken}");
    }

    private static byte PartitionOf(EnvironmentId environment, RunId run) =>
        SHA256.HashData(Encoding.UTF8.GetBytes($"{environment}\0{run}"))[0];

    private static string Token(string id, out bool digested)
    {
        digested = false;
        if (id.Length <= 64 && id.AsSpan().IndexOfAnyExcept(PlainCharacters) < 0) return id;
        var utf8 = Encoding.UTF8.GetBytes(id);
        if (utf8.Length <= 96) return "~" + Base64Url.EncodeToString(utf8);
        digested = true;
        return "~h" + Base64Url.EncodeToString(SHA256.HashData(utf8));
    }

    private static readonly System.Buffers.SearchValues<char> PlainCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
}
