using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Npgsql;
using RealtimeStreams.RunRegistry.Storing.Postgres;
using RealtimeStreams.RunRegistry.Storing.Sqlite;

namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>For <c>dotnet ef</c>, which needs the model and no database.</summary>
internal sealed class DesignTimePostgres : IDesignTimeDbContextFactory<PostgresContext>
{
    public PostgresContext CreateDbContext(string[] args) =>
        new(PostgresProvider.Configure(new DbContextOptionsBuilder<PostgresContext>(), NpgsqlDataSource.Create("Host=localhost")).Options);
}

/// <summary>For <c>dotnet ef</c>, which needs the model and no database.</summary>
internal sealed class DesignTimeSqlite : IDesignTimeDbContextFactory<SqliteContext>
{
    public SqliteContext CreateDbContext(string[] args) =>
        new(SqliteProvider.Configure(new DbContextOptionsBuilder<SqliteContext>(), "Data Source=design-time.db").Options);
}
