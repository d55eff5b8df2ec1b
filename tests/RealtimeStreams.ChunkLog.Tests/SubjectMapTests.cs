using System.Globalization;
using CsCheck;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.ChunkLog.Tests;

public sealed class SubjectMapTests(ITestOutputHelper output)
{
    private static readonly Gen<string> Alphabet = Gen.OneOf("a", "B", "7", "_", "-", ".", "*", ">", "~", "~h", " ", "/", "%2F", "é", "键", "🙂", "\u00a0", "rs", "hQ");

    /// <summary>Ids of characters that matter to NATS or to the escaping, short ones that meet, and ones around the lengths where the form changes.</summary>
    private static readonly Gen<string> Id = Gen.Frequency(
        (3, Alphabet.Array[1, 4].Select(string.Concat)),
        (1, Gen.Select(Gen.Int[60, 100], Alphabet, Alphabet, (length, first, last) => first + new string('x', length) + last)))
        .Where(id => RunId.FindFault(id) is null && StreamKey.FindFault(id) is null && EnvironmentId.FindFault(id) is null || id.Length > 50);

    private static readonly Gen<StreamAddress> Address = Gen.Select(Id, Id, Id).Select((environment, run, key) => new StreamAddress(
        EnvironmentId.TryParse(environment, null, out var id) ? id : EnvironmentId.Parse("e"),
        RunId.TryParse(run, null, out var runId) ? runId : RunId.Parse("r"),
        StreamKey.Parse(key)));

    [Fact]
    public void Different_streams_have_different_subjects() => Address.Array[2, 40].Sample(
        addresses =>
        {
            var different = addresses.Distinct().ToList();
            Assert.Equal(different.Count, different.Select(address => SubjectMap.Of(address).Subject).Distinct().Count());
            foreach (var address in different) Assert.Equal(SubjectMap.Of(address).Subject, SubjectMap.Of(address with { }).Subject);
        },
        output.WriteLine,
        iter: 2_000 * Sweep.Rounds);

    [Fact]
    public void A_subject_has_five_tokens_of_legal_characters_and_lies_in_its_shard() => Address.Sample(
        address =>
        {
            var place = SubjectMap.Of(address);
            var tokens = place.Subject.Split('.');
            Assert.Equal(5, tokens.Length);
            Assert.Equal("rs", tokens[0]);
            Assert.All(tokens, token => Assert.Matches("^[A-Za-z0-9_~-]{1,130}$", token));
            var shard = int.Parse(tokens[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) % SubjectMap.Shards;
            Assert.Equal(SubjectMap.ShardName(shard), place.Shard);
            Assert.Contains($"rs.{tokens[1]}.>", SubjectMap.SubjectsOf(shard));
            Assert.Equal("rsl." + place.Subject, place.TailSubject);
            // A digest cannot be read back, so the record has to say what it stands for.
            Assert.Equal(tokens.Any(token => token.StartsWith("~h", StringComparison.Ordinal)), place.Address is not null);
        },
        output.WriteLine,
        iter: 5_000 * Sweep.Rounds);

    [Fact]
    public void A_runs_filter_holds_its_own_streams_and_no_others() => Gen.Select(Address, Address).Sample(
        (one, other) =>
        {
            var (filter, shard) = SubjectMap.OfRun(one.Environment, one.Run);
            var prefix = filter[..^1];
            Assert.StartsWith(prefix, SubjectMap.Of(one).Subject, StringComparison.Ordinal);
            Assert.Equal(shard, SubjectMap.Of(one).Shard);
            Assert.Equal(
                (one.Environment, one.Run) == (other.Environment, other.Run),
                SubjectMap.Of(other).Subject.StartsWith(prefix, StringComparison.Ordinal));
        },
        output.WriteLine,
        iter: 5_000 * Sweep.Rounds);

    [Fact]
    public void The_shards_share_out_all_256_partitions() =>
        Assert.Equal(256, Enumerable.Range(0, SubjectMap.Shards).SelectMany(SubjectMap.SubjectsOf).Distinct().Count());
}
