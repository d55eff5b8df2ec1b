using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace RealtimeStreams.RunRegistry.Storing.Sqlite;

/// <summary>The registry's tables on SQLite. Text is compared byte by byte there unless told otherwise (BINARY).</summary>
internal sealed class SqliteContext(DbContextOptions<SqliteContext> options) : RegistryContext(options)
{
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<MicrosecondsConverter>();

    /// <summary>SQLite has no type for times that sorts; whole microseconds since 1970 do, and are what PostgreSQL keeps.</summary>
    private sealed class MicrosecondsConverter() : ValueConverter<DateTimeOffset, long>(
        time => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond,
        stored => new DateTimeOffset(DateTimeOffset.UnixEpoch.Ticks + stored * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero));
}
