using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging;

namespace RealtimeStreams.RunRegistry.Storing.Sqlite;

/// <summary>A SQLite file. Several servers may share it on one machine.</summary>
internal sealed class SqliteProvider : RegistryProvider
{
    private readonly string connectionString;
    private readonly string lockFile;
    private readonly PooledDbContextFactory<SqliteContext> contexts;

    // SQLite has one writer at a time, and its driver blocks a thread while it waits. So this server's writers queue here.
    private readonly SemaphoreSlim writer = new(1, 1);

    public SqliteProvider(string directory, TimeSpan commandTimeout, ILoggerFactory loggers)
    {
        Directory.CreateDirectory(directory);
        var file = Path.Combine(directory, "registry.db");
        Place = $"SQLite file {file}";
        lockFile = file + ".setup-lock";
        connectionString = new SqliteConnectionStringBuilder
        {
            DataSource = file,
            ForeignKeys = true,
            DefaultTimeout = (int)Math.Ceiling(commandTimeout.TotalSeconds),
        }.ConnectionString;
        var options = Configure(new DbContextOptionsBuilder<SqliteContext>(), connectionString);
        ConfigureShared(options, loggers);
        options.AddInterceptors(new BusyTimeout(commandTimeout));
        contexts = new PooledDbContextFactory<SqliteContext>(options.Options);
    }

    public override string Place { get; }

    public static DbContextOptionsBuilder<SqliteContext> Configure(
        DbContextOptionsBuilder<SqliteContext> options, string connectionString) =>
        options.UseSqlite(connectionString, sqlite => sqlite.MigrationsHistoryTable("registry_migrations"));

    public override RegistryContext CreateContext() => contexts.CreateDbContext();

    public override async Task<IAsyncDisposable> TakeSetupTurnAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                // The operating system frees it when the process ends, however it ends.
                return new FileStream(lockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(lockFile))
            {
                // By the machine's time, whatever the server's is: another process frees it, or one that was just being started has inherited it.
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
            }
        }
    }

    public override async Task PrepareAsync(RegistryContext context, CancellationToken cancellationToken)
    {
        // Readers and the writer do not wait for each other in this mode, which the file remembers.
        await context.Database.ExecuteSqlRawAsync("PRAGMA journal_mode = WAL", cancellationToken);

        // EF Core's own lock is a row that a killed server leaves behind, and that would be waited for without end. Whoever
        // holds the set-up turn is the only one who migrates, so a row found here is such a remnant.
        if (await context.Database.SqlQuery<int>($"SELECT count(*) AS Value FROM sqlite_master WHERE name = '__EFMigrationsLock'")
                .SingleAsync(cancellationToken) > 0)
            await context.Database.ExecuteSqlRawAsync("DELETE FROM \"__EFMigrationsLock\"", cancellationToken);
    }

    public override async ValueTask<IDisposable?> TakeWriteTurnAsync(CancellationToken cancellationToken)
    {
        await writer.WaitAsync(cancellationToken);
        return new WriteTurn(writer);
    }

    public override bool IsUnavailable(Exception exception) =>
        // Busy, locked, read-only, I/O error, full, cannot open (https://www.sqlite.org/rescode.html).
        Unwrap(exception).Any(inner => inner is SqliteException { SqliteErrorCode: 5 or 6 or 8 or 10 or 13 or 14 });

    public override bool IsDuplicate(Exception exception) =>
        // SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE.
        Unwrap(exception).Any(inner => inner is SqliteException { SqliteExtendedErrorCode: 1555 or 2067 });

    public override ValueTask DisposeAsync()
    {
        using var connection = new SqliteConnection(connectionString);
        SqliteConnection.ClearPool(connection); // Closes the file.
        writer.Dispose();
        return ValueTask.CompletedTask;
    }

    private sealed class WriteTurn(SemaphoreSlim writer) : IDisposable
    {
        public void Dispose() => writer.Release();
    }
}
