using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class ErasureReceiptsOnPostgresTests(PostgresDatabases databases) : ErasureReceiptContract(databases);

public sealed class ErasureReceiptsOnSqliteTests(SqliteDatabases databases) : ErasureReceiptContract(databases), IClassFixture<SqliteDatabases>;

public abstract class ErasureReceiptContract(TestDatabases databases) : RegistryContract(databases)
{
    private const string By = "key sk_test";

    private static readonly TimeSpan patience = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task The_receipt_says_who_asked_and_when_it_was_done()
    {
        var node = await StartNodeAsync(clock);
        var other = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("run"));

        var receipt = await Erasures(node).EraseAsync(Environment, Id("run"), By, patience, Cancelled);

        Assert.Equal(new Erasure(receipt!.Id, Id("run"), null, clock.GetUtcNow(), By, clock.GetUtcNow()), receipt);
        Assert.Equal(receipt, await Erasures(other).FindAsync(Environment, receipt.Id, Cancelled));
        Assert.Null(await Erasures(other).FindAsync(EnvironmentId.Parse("foreign"), receipt.Id, Cancelled));
        Assert.Null(await Erasures(other).FindAsync(Environment, "erasure_of_nothing", Cancelled));
        Assert.Null(await Erasures(node).EraseAsync(Environment, Id("run"), By, patience, Cancelled));
        Assert.Null(await Erasures(node).EraseAsync(Environment, Id("never"), By, patience, Cancelled));
    }

    [Fact]
    public async Task What_is_not_done_yet_says_so_until_any_server_has_done_it()
    {
        var broken = await StartNodeAsync(clock);
        await RegisterAsync(broken, Registration("run"));
        broken.Observer.Failure = new TimeoutException("The broker is gone.");
        var begun = await Erasures(broken).EraseAsync(Environment, Id("run"), By, patience, Cancelled);
        Assert.Null(begun!.ErasedAt);
        Assert.Null(await broken.Registry.FindAsync(Environment, Id("run"), Cancelled));
        var node = await StartNodeAsync(clock);

        Assert.Equal(begun, await Erasures(broken).EraseAsync(Environment, Id("run"), "somebody else", patience, Cancelled)); // The same, asked again.
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, (await node.Registry.RepeatAsync(null, 10, Cancelled)).Done);

        Assert.Equal(begun with { ErasedAt = clock.GetUtcNow() }, await Erasures(broken).FindAsync(Environment, begun.Id, Cancelled));
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, (await node.Registry.RepeatAsync(null, 10, Cancelled)).Done); // The second pass, for what came late.
        await RegisterAsync(node, Registration("run"));
        var again = await Erasures(node).EraseAsync(Environment, Id("run"), By, patience, Cancelled);
        Assert.NotEqual(begun.Id, again!.Id);
    }

    [Fact]
    public async Task Who_stops_waiting_gets_the_receipt_as_it_is_and_the_erasure_goes_on()
    {
        var node = await StartNodeAsync(clock); // Whose time stands still: nobody's patience ends.
        await RegisterAsync(node, Registration("run"));
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        node.Observer.Hold = held.Task;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);

        var erasing = Erasures(node).EraseAsync(Environment, Id("run"), By, patience, over.Token);
        await Until.TrueAsync(() => "The erasure did not begin.", () => node.Observer.Calls.Count > 0);
        Assert.False(erasing.IsCompleted);
        await over.CancelAsync();

        var begun = await erasing;
        Assert.Null(begun!.ErasedAt);
        held.SetResult();
        await Until.TrueAsync(
            () => "The erasure was not finished.", async () => (await Erasures(node).FindAsync(Environment, begun.Id, Cancelled))!.ErasedAt is not null);
    }

    [Fact]
    public async Task A_stream_outside_of_runs_is_told_by_its_name()
    {
        var node = await StartNodeAsync(clock);
        var names = node.Services.GetRequiredService<INamedStreams>();
        await names.CreateAsync(Environment, "a/b", "{}", null, null, Cancelled);

        var receipt = await names.DeleteAsync(Environment, "a/b", By, Cancelled);

        Assert.Equal(new Erasure(receipt!.Id, null, "a/b", clock.GetUtcNow(), By, clock.GetUtcNow()), receipt);
        Assert.Equal(receipt, await Erasures(node).FindAsync(Environment, receipt.Id, Cancelled));
    }

    [Fact]
    public async Task A_deleted_stream_outside_of_runs_whose_chunks_cannot_be_removed_yet_has_its_receipt_and_its_name_in_the_log()
    {
        var logs = FakeLogCollector.Create(new FakeLogCollectorOptions());
        var node = await StartNodeAsync(clock, services => services.AddSingleton<ILoggerProvider>(new FakeLoggerProvider(logs)));
        var names = node.Services.GetRequiredService<INamedStreams>();
        await names.CreateAsync(Environment, "a\n\"ü\"", "{}", null, null, Cancelled);
        node.Observer.Failure = new TimeoutException("The broker is gone.");

        var receipt = await names.DeleteAsync(Environment, "a\n\"ü\"", By, Cancelled);

        Assert.Equal(new Erasure(receipt!.Id, null, "a\n\"ü\"", clock.GetUtcNow(), By, null), receipt);
        Assert.Equal(receipt, await Erasures(node).FindAsync(Environment, receipt.Id, Cancelled));
        Assert.Null(await names.DeleteAsync(Environment, "a\n\"ü\"", By, Cancelled)); // Whoever asks again knows the receipt.
        node.Observer.Failure = null;
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, (await node.Registry.RepeatAsync(null, 10, Cancelled)).Done);
        Assert.Equal(receipt with { ErasedAt = clock.GetUtcNow() }, await Erasures(node).FindAsync(Environment, receipt.Id, Cancelled));
        Assert.Equal(
            [
                (1414, $"Stream \"a\\n\\\"ü\\\"\" of default is to be erased, asked by {By}: receipt {receipt.Id}"),
                (1463, "Stream \"a\\n\\\"ü\\\"\" of default could not be erased altogether yet; it is tried again"),
                (1462, $"Erased stream \"a\\n\\\"ü\\\"\" of default for {By}: receipt {receipt.Id}"),
            ],
            logs.GetSnapshot().Where(log => log.Id.Id is 1405 or 1414 or (>= 1460 and < 1470)).Select(log => (log.Id.Id, log.Message)));
    }

    [Fact]
    public async Task The_log_says_which_run_was_to_be_erased_and_was()
    {
        var logs = FakeLogCollector.Create(new FakeLogCollectorOptions());
        var node = await StartNodeAsync(clock, services => services.AddSingleton<ILoggerProvider>(new FakeLoggerProvider(logs)));
        await RegisterAsync(node, Registration("run"));

        var receipt = await Erasures(node).EraseAsync(Environment, Id("run"), By, patience, Cancelled);

        Assert.Equal(
            [(1460, $"Run run of default is to be erased, asked by {By}: receipt {receipt!.Id}"), (1405, $"Erased run run of default for {By}: receipt {receipt.Id}")],
            logs.GetSnapshot().Where(log => log.Id.Id is 1405 or 1414 or (>= 1460 and < 1470)).Select(log => (log.Id.Id, log.Message)));
    }

    [Fact]
    public async Task Receipts_are_kept_for_thirty_days_and_those_of_what_is_not_done_longer()
    {
        var node = await StartNodeAsync(clock);
        List<string> ids = [];
        for (var i = 0; i < 3; i++)
        {
            await RegisterAsync(node, Registration($"run{i}"));
            ids.Add((await Erasures(node).EraseAsync(Environment, Id($"run{i}"), By, patience, Cancelled))!.Id);
        }
        await RegisterAsync(node, Registration("stuck"));
        node.Observer.Failure = new TimeoutException();
        var stuck = await Erasures(node).EraseAsync(Environment, Id("stuck"), By, patience, Cancelled);

        // Days pass for a server that starts then: stepping a clock through them would take its beats one by one.
        var early = await StartNodeAsync(new FakeTimeProvider(clock.GetUtcNow() + IErasures.KeepReceipts));
        Assert.Equal(0, await Erasures(early).SweepAsync(10, Cancelled));
        var late = await StartNodeAsync(new FakeTimeProvider(clock.GetUtcNow() + IErasures.KeepReceipts + TimeSpan.FromSeconds(1)));
        Assert.Equal(2, await Erasures(late).SweepAsync(2, Cancelled));
        Assert.Equal(1, await Erasures(late).SweepAsync(2, Cancelled));
        foreach (var id in ids) Assert.Null(await Erasures(late).FindAsync(Environment, id, Cancelled));
        Assert.NotNull(await Erasures(late).FindAsync(Environment, stuck!.Id, Cancelled));
    }

    [Fact]
    public async Task A_credential_is_told_by_the_id_of_its_key_and_not_by_the_key()
    {
        var node = await StartNodeAsync(clock);
        var secret = await node.Services.GetRequiredService<IDefaultSecretKey>().GetAsync(Cancelled);
        var credentials = node.Services.GetRequiredService<ICredentials>();
        var keys = Assert.IsType<SecretKeyEntry>(Assert.Single((await node.Services.GetRequiredService<ISecretKeys>().ListAsync(Environment, Cancelled))!));

        var told = (await credentials.FindAsync(secret, Cancelled))!.Name;

        var issued = await node.Services.GetRequiredService<IAccessTokens>().IssueAsync(Environment, ["read:runs"], TimeSpan.FromMinutes(1), told, Cancelled);
        var token = (await credentials.FindAsync(issued.Token, Cancelled))!.Name;
        var signed = (await credentials.FindAsync(SignedToken.Make(SignedToken.Claims(clock.GetUtcNow()), secret), Cancelled))!.Name;

        Assert.Equal(
            [$"key {keys.Id}", $"token {issued.Id}, signed with key {keys.Id}", $"token without an id, signed with key {keys.Id}"],
            new[] { told, token, signed });
        Assert.All([told, token, signed], name => Assert.DoesNotContain(secret[^8..], name, StringComparison.Ordinal));
    }

    private static IErasures Erasures(TestNode node) => node.Services.GetRequiredService<IErasures>();
}
