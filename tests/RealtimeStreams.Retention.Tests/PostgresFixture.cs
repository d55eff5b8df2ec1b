using RealtimeStreams.Testing;

namespace RealtimeStreams.Retention.Tests;

/// <summary>A PostgreSQL server for the tests of a class, started by the first that needs it.</summary>
public sealed class PostgresFixture : IAsyncDisposable
{
    private readonly Lazy<Task<TestPostgres>> server = new(() => TestPostgres.StartAsync(CancellationToken.None));

    public async Task<string> MakeDatabaseAsync()
    {
        Assert.SkipUnless(TestPostgres.IsPresent, TestPostgres.MissingReason);
        return await (await server.Value).CreateDatabaseAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (server.IsValueCreated) await (await server.Value).DisposeAsync();
    }
}
