using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace RealtimeStreams.RunRegistry.Storing.Postgres;

/// <summary>PostgreSQL.</summary>
internal sealed class PostgresProvider : RegistryProvider
{
    /// <summary>Names the set-up turn among a database's advisory locks: the bytes of "RSreg" and a version.</summary>
    private const long SetupLock = 0x52_53_72_65_67_00_00_01;

    private readonly NpgsqlDataSource dataSource;
    private readonly PooledDbContextFactory<PostgresContext> contexts;

    /// <exception cref="ArgumentException">The connection string is none.</exception>
    public PostgresProvider(string connectionString, TimeSpan commandTimeout, ILoggerFactory loggers)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        settings.Timeout = Math.Min(settings.Timeout, Seconds(commandTimeout));
        settings.CommandTimeout = Seconds(commandTimeout);
        settings.ApplicationName ??= "RealtimeStreams";
        Place = $"PostgreSQL database {settings.Database} on {settings.Host}";
        dataSource = new NpgsqlDataSourceBuilder(settings.ConnectionString).UseLoggerFactory(loggers).Build();
        var options = Configure(new DbContextOptionsBuilder<PostgresContext>(), dataSource);
        ConfigureShared(options, loggers);
        contexts = new PooledDbContextFactory<PostgresContext>(options.Options);
    }

    public override string Place { get; }

    public static DbContextOptionsBuilder<PostgresContext> Configure(
        DbContextOptionsBuilder<PostgresContext> options, NpgsqlDataSource dataSource) =>
        options.UseNpgsql(dataSource, npgsql => npgsql.MigrationsHistoryTable("registry_migrations"));

    public override RegistryContext CreateContext() => contexts.CreateDbContext();

    public override async Task<IAsyncDisposable> TakeSetupTurnAsync(CancellationToken cancellationToken)
    {
        var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        try
        {
            // The transaction's lock and not the session's, so that it also works behind a connection pooler. It ends with the connection.
            await connection.BeginTransactionAsync(cancellationToken);
            await using var command = new NpgsqlCommand("SELECT pg_advisory_xact_lock($1)", connection)
            {
                Parameters = { new NpgsqlParameter<long> { TypedValue = SetupLock } },
                CommandTimeout = 0, // As long as another server's migrations take.
            };
            await command.ExecuteNonQueryAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public override Task PrepareAsync(RegistryContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    public override ValueTask<IDisposable?> TakeWriteTurnAsync(CancellationToken cancellationToken) => default;

    public override bool IsUnavailable(Exception exception) => Unwrap(exception).Any(inner => inner switch
    {
        // A cancelled statement, or a database that is a standby since a moment ago.
        PostgresException { SqlState: PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.ReadOnlySqlTransaction } => true,
        NpgsqlException npgsql => npgsql.IsTransient,
        _ => inner is SocketException or TimeoutException,
    });

    public override bool IsDuplicate(Exception exception) =>
        Unwrap(exception).Any(inner => inner is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation });

    public override ValueTask DisposeAsync() => dataSource.DisposeAsync();

    private static int Seconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);
}
