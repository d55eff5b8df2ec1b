using RealtimeStreams.RunRegistry.Tests;
using RealtimeStreams.Testing;

[assembly: AssemblyFixture(typeof(PostgresDatabases))]

namespace RealtimeStreams.RunRegistry.Tests;

/// <summary>One PostgreSQL server for all tests of the assembly, started by the first that needs it.</summary>
public sealed class PostgresDatabases : TestDatabases, IAsyncDisposable
{
    private readonly Lazy<Task<TestPostgres>> server = new(() => TestPostgres.StartAsync(CancellationToken.None));

    protected override async Task<string?> MakeAsync()
    {
        Assert.SkipUnless(TestPostgres.IsPresent, TestPostgres.MissingReason);
        return await (await server.Value).CreateDatabaseAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (server.IsValueCreated) await (await server.Value).DisposeAsync();
    }
}
