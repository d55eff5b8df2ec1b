using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

/// <summary>Makes empty databases of one kind. Each is a folder and the settings that lead to it.</summary>
public abstract class TestDatabases
{
    /// <summary>The settings of a server on a new, empty database with a data directory of its own.</summary>
    public async Task<Dictionary<string, string?>> MakeAsync(TempFolder folder) => new()
    {
        ["RealtimeStreams:DataDirectory"] = folder.FullPath,
        ["RealtimeStreams:RunRegistry:CommandTimeout"] = "00:01:00", // A busy machine is no failure.
        ["ConnectionStrings:registry"] = await MakeAsync(),
    };

    /// <summary>The connection string of a new database; null for SQLite in the data directory.</summary>
    protected abstract Task<string?> MakeAsync();
}

public sealed class SqliteDatabases : TestDatabases
{
    protected override Task<string?> MakeAsync() => Task.FromResult<string?>(null);
}
