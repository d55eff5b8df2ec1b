using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

/// <summary>Makes empty databases of one kind. Each is a folder and the settings that lead to it.</summary>
public abstract class TestDatabases
{
    /// <summary>The settings of a server on a new, empty database with a data directory of its own.</summary>
    public abstract Task<Dictionary<string, string?>> MakeAsync(TempFolder folder);
}

public sealed class SqliteDatabases : TestDatabases
{
    public override Task<Dictionary<string, string?>> MakeAsync(TempFolder folder) =>
        Task.FromResult(new Dictionary<string, string?> { ["RealtimeStreams:DataDirectory"] = folder.FullPath });
}
