namespace RealtimeStreams.Testing;

/// <summary>A folder of one test's own, removed with it.</summary>
public sealed class TempFolder : IDisposable
{
    /// <summary>Makes an empty folder.</summary>
    public TempFolder(string purpose = "test") =>
        FullPath = Directory.CreateTempSubdirectory($"realtimestreams-{purpose}-").FullName;

    /// <summary>Where it is.</summary>
    public string FullPath { get; }

    /// <summary>The full path of something in it.</summary>
    public string this[params ReadOnlySpan<string> segments] => Path.Combine([FullPath, .. segments]);

    public void Dispose()
    {
        if (Directory.Exists(FullPath)) Directory.Delete(FullPath, recursive: true);
    }
}
