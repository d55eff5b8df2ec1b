namespace RealtimeStreams.Benchmarks;

/// <summary>Where the report goes.</summary>
internal static class Output
{
    /// <summary>The path without extension; null: nowhere.</summary>
    public static string? Find(BenchmarkOptions options)
    {
        var path = options.Output ?? (options.IsFull && FindRoot() is { } root ? Path.Combine(root, "docs", "benchmarks") : null);
        if (path is not null && Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
        return path;
    }

    private static string? FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "RealtimeStreams.sln"))) return folder.FullName;
        return null;
    }
}
