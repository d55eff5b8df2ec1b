using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class OddTextOnPostgresTests(PostgresDatabases databases) : OddTextContract(databases);

public sealed class OddTextOnSqliteTests(SqliteDatabases databases) : OddTextContract(databases), IClassFixture<SqliteDatabases>;

/// <summary>Texts that a client can send and a database cannot take: whoever looks for one finds nothing, whoever wants one kept is refused. Nothing throws.</summary>
public abstract class OddTextContract(TestDatabases databases) : RegistryContract(databases)
{
    // Escaped, as neither attributes nor the runner keep halves of characters.
    public static TheoryData<string> Texts => [@"\0", @"a\0b", @"\ud83d", @"a\udc00", @"\ude00\ud83d", @"\uffff", @"\u0001", @"\u0085", "", new string('x', 5000)];

    [Theory, MemberData(nameof(Texts))]
    public async Task Nothing_is_found_by_it_and_nothing_throws(string escaped)
    {
        var text = Regex.Unescape(escaped);
        var node = await StartNodeAsync();
        var run = (await RegisterAsync(node, Registration("there", taskId: "t", tags: ["tag"]))).Id;

        foreach (var query in (RunQuery[])[new(null, text, null, null, 10), new(null, null, text, null, 10)])
            Assert.Empty(Assert.IsType<RunListOutcome.Listed>(await node.Registry.ListAsync(Environment, query, Cancelled)).Runs);
        await node.Registry.ListAsync(Environment, new RunQuery(null, null, null, text, 10), Cancelled); // A cursor, or refused.
        Assert.Null(await Of<IErasures>(node).FindAsync(Environment, text, Cancelled));
        Assert.IsNotType<RenewOutcome.Renewed>(await Of<IRunClaims>(node).RenewAsync(Environment, run, text, 1, TimeSpan.FromSeconds(1), Cancelled));
        Assert.IsNotType<RenewOutcome.Renewed>(await Of<IRunClaims>(node).ReleaseAsync(Environment, run, text, 1, Cancelled));
        Assert.IsNotType<ClaimOutcome.Claimed>(await Of<IRunClaims>(node).ClaimAsync(Environment, [text], "w", TimeSpan.FromSeconds(1), Cancelled));
        Assert.IsNotType<ClaimOutcome.Claimed>(await Of<IRunClaims>(node).ClaimAsync(Environment, ["t"], text, TimeSpan.FromSeconds(1), Cancelled));
        await Of<IRunStops>(node).RequestAsync(Environment, run, text, "by", "by", Cancelled);
        await Of<IRunStops>(node).AcknowledgeAsync(Environment, run, text, 1, Cancelled);
        Assert.IsNotType<SecretKeyOutcome.Made>(await Of<ISecretKeys>(node).RotateAsync(Environment, text, TimeSpan.Zero, "by", Cancelled));
        Assert.IsNotType<SecretKeyOutcome.Revoked>(await Of<ISecretKeys>(node).RevokeAsync(Environment, text, "by", Cancelled));
        await Of<IAccessTokens>(node).RevokeAsync(Environment, text, "by", Cancelled);
        Assert.Null(await Of<ICredentials>(node).FindAsync(text, Cancelled));
        Assert.Null(await Of<ICredentials>(node).FindAsync($"{text}.{text}.{text}", Cancelled));
        Assert.Null(await Of<ICredentials>(node).FindKnownAsync(text, Cancelled));
        Assert.Null(await Of<INamedStreams>(node).FindAsync(Environment, text, Cancelled));
        Assert.Null(await Of<INamedStreams>(node).DeleteAsync(Environment, text, "by", Cancelled));
        await Of<INamedStreams>(node).ListAsync(Environment, text, text, 10, Cancelled);
        await Of<INamedStreams>(node).CreateAsync(Environment, "named", "{}", null, text, Cancelled);
        await node.Registry.CompleteAsync(Environment, run, new RunEnd(Outcome.Failed, text[..Math.Min(text.Length, 100)]), Cancelled);
        Assert.NotNull(await node.Registry.FindAsync(Environment, run, Cancelled));
    }

    [Theory]
    [InlineData(@"\0")]
    [InlineData(@"a\0b")]
    [InlineData(@"\ud83d")]
    [InlineData(@"\ude00\ud83d")]
    public async Task Nothing_is_called_so(string escaped)
    {
        var text = Regex.Unescape(escaped);
        var node = await StartNodeAsync();
        var plain = Registration(taskId: "t");

        foreach (var registration in (RunRegistration[])
        [
            plain with { TaskId = text }, plain with { Tags = [text] }, plain with { IdempotencyKey = text }, plain with { Payload = text, PayloadType = "text/plain" },
            plain with { Payload = "1", PayloadType = text }, plain with { Metadata = text },
        ])
        {
            Assert.Equal(ErrorCode.InvalidRequest, (await RefusedAsync(node, registration)).Code);
        }
        Assert.IsType<NamedStreamOutcome.Refused>(await Of<INamedStreams>(node).CreateAsync(Environment, text, "{}", null, null, Cancelled));
        Assert.IsType<NamedStreamOutcome.Refused>(await Of<INamedStreams>(node).EnsureAsync(Environment, text, "{}", null, Cancelled));
    }

    private static T Of<T>(TestNode node)
        where T : notnull => node.Services.GetRequiredService<T>();
}
