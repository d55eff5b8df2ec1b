namespace RealtimeStreams.EmbeddedBroker.Locating;

/// <summary>Where on this machine a nats-server may be.</summary>
/// <param name="SearchFolders">Folders in which an installed one is looked for, in order.</param>
/// <param name="ToolFolder">The product's own folder of fetched tools in the user's cache.</param>
internal sealed record Surroundings(IReadOnlyList<string> SearchFolders, string ToolFolder)
{
    public static string ExecutableName { get; } = OperatingSystem.IsWindows() ? "nats-server.exe" : "nats-server";

    public static Surroundings OfThisMachine()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        // Debian's package puts the server where only root's PATH looks.
        string[] besides = OperatingSystem.IsWindows() ? [] : ["/usr/local/sbin", "/usr/sbin"];
        return new Surroundings([.. path.Concat(besides).Where(Path.IsPathFullyQualified).Distinct()], UserToolFolder());
    }

    private static string UserToolFolder()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string cache;
        if (OperatingSystem.IsWindows())
            cache = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        else if (OperatingSystem.IsMacOS())
            cache = Path.Combine(home, "Library", "Caches");
        else if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } configured && Path.IsPathFullyQualified(configured))
            cache = configured; // The XDG specification has relative paths ignored.
        else
            cache = Path.Combine(home, ".cache");

        // An account without a home folder (some containers) still has a place for temporary files.
        if (!Path.IsPathFullyQualified(cache)) cache = Path.GetTempPath();
        return Path.Combine(cache, "realtimestreams", "tools");
    }
}
