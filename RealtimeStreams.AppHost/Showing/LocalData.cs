namespace RealtimeStreams.AppHost.Showing;

/// <summary>Where a stack on this machine keeps its data and listens, whichever host starts it.</summary>
internal static class LocalData
{
    /// <summary>The API's port, unless taken or set.</summary>
    public const int UsualPort = 5217;

    /// <summary>The demo worker's port, likewise.</summary>
    public const int UsualDemoPort = 5218;

    /// <summary>The data directory: as set, or <c>.data</c> where the stack was started, so that a restart finds the same chunks.</summary>
    public static string Directory { get; } =
        Path.GetFullPath(Environment.GetEnvironmentVariable("RealtimeStreams__DataDirectory") is { Length: > 0 } configured ? configured : ".data");
}
