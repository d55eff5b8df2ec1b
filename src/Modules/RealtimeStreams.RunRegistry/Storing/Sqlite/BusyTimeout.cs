using System.Data.Common;
using System.Globalization;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace RealtimeStreams.RunRegistry.Storing.Sqlite;

/// <summary>Has SQLite itself wait for another process's writer, in small steps; its driver would look again only every 150 ms.</summary>
internal sealed class BusyTimeout(TimeSpan time) : DbConnectionInterceptor
{
    private readonly string pragma = string.Create(CultureInfo.InvariantCulture, $"PRAGMA busy_timeout = {(int)time.TotalMilliseconds}");

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        using var command = Command(connection);
        command.ExecuteNonQuery();
    }

    public override async Task ConnectionOpenedAsync(
        DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        await using var command = Command(connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private DbCommand Command(DbConnection connection)
    {
        var command = connection.CreateCommand();
        command.CommandText = pragma;
        return command;
    }
}
