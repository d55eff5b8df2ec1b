using Microsoft.EntityFrameworkCore;

namespace RealtimeStreams.RunRegistry.Storing.Postgres;

/// <summary>The registry's tables on PostgreSQL.</summary>
internal sealed class PostgresContext(DbContextOptions<PostgresContext> options) : RegistryContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<StoredRun>().HasIndex(row => row.Tags).HasMethod("gin").HasDatabaseName("runs_tags");

        // Ids are compared byte by byte, also where pages are cut, whatever the database's own collation is.
        foreach (var property in modelBuilder.Model.GetEntityTypes().SelectMany(table => table.GetProperties()))
            if (property.ClrType == typeof(string)) property.SetCollation("C");
    }
}
