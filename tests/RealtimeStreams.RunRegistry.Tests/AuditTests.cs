using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class AuditOnPostgresTests(PostgresDatabases databases) : AuditContract(databases);

public sealed class AuditOnSqliteTests(SqliteDatabases databases) : AuditContract(databases), IClassFixture<SqliteDatabases>;

public abstract class AuditContract(TestDatabases databases) : RegistryContract(databases)
{
    private const string Who = "key sk_of_somebody";

    private static readonly EnvironmentId tenant = EnvironmentId.Parse("tenant");
    private static readonly TimeSpan minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task What_is_made_rotated_revoked_erased_changed_and_asked_to_stop_is_in_the_log_by_default_with_who_did_it_and_no_secret()
    {
        var logs = FakeLogCollector.Create(new FakeLogCollectorOptions());
        var node = await StartNodeAsync(configure: services => services.AddLogging(logging => logging.AddProvider(new FakeLoggerProvider(logs))));
        var (keys, tokens) = (node.Services.GetRequiredService<ISecretKeys>(), node.Services.GetRequiredService<IAccessTokens>());

        var first = Made(await node.Services.GetRequiredService<IEnvironments>().CreateAsync(tenant, Who, Cancelled));
        var second = Made(await keys.AddAsync(tenant, Who, Cancelled));
        var third = Made(await keys.RotateAsync(tenant, second.Key.Id, minute, Who, Cancelled));
        await keys.RevokeAsync(tenant, first.Key.Id, Who, Cancelled);
        await node.Services.GetRequiredService<IEnvironmentSettings>().ChangeAsync(tenant, new Dictionary<string, long?> { ["readers"] = 5 }, Who, Cancelled);
        var token = await tokens.IssueAsync(tenant, ["read:runs"], minute, Who, Cancelled);
        await tokens.RevokeAsync(tenant, token.Id, Who, Cancelled);
        await tokens.RevokeAllAsync(tenant, Who, Cancelled);
        await node.Registry.RegisterAsync(tenant, Registration("run"), Cancelled);
        await node.Services.GetRequiredService<IRunStops>().RequestAsync(tenant, Id("run"), null, "secret-key", Who, Cancelled);
        await node.Services.GetRequiredService<IErasures>().EraseAsync(tenant, Id("run"), Who, minute, Cancelled);
        await node.Services.GetRequiredService<INamedStreams>().CreateAsync(tenant, "name", "{}", null, null, Cancelled);
        await node.Services.GetRequiredService<INamedStreams>().DeleteAsync(tenant, "name", Who, Cancelled);

        int[] audit = [1430, 1431, 1432, 1433, 1436, 1440, 1441, 1450, 1460, 1405, 1414];
        var lines = logs.GetSnapshot();
        foreach (var id in audit)
        {
            var line = lines.First(log => log.Id.Id == id);
            Assert.Equal(LogLevel.Information, line.Level);
            Assert.Contains(Who, line.Message, StringComparison.Ordinal);
        }
        Assert.DoesNotContain(lines, log => log.Id.Id == 1444); // There may be hundreds a second.
        foreach (var secret in (string[])[first.Secret, second.Secret, third.Secret, token.Token])
            Assert.DoesNotContain(lines, log => log.Message.Contains(secret, StringComparison.Ordinal));
    }

    private static SecretKeyOutcome.Made Made(SecretKeyOutcome outcome) => Assert.IsType<SecretKeyOutcome.Made>(outcome);
}
