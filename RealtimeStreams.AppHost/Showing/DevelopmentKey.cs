using System.Buffers.Text;
using System.Security.Cryptography;

namespace RealtimeStreams.AppHost.Showing;

/// <summary>The secret key that a server makes for itself when none is configured, in the file where it keeps it.</summary>
internal static class DevelopmentKey
{
    private const string Prefix = "rssk_";

    /// <summary>The configured key, or the one in <paramref name="dataDirectory"/>; null before a server has made one.</summary>
    public static string? Find(string dataDirectory)
    {
        if (Environment.GetEnvironmentVariable("RealtimeStreams__SecretKey") is { Length: > 0 } configured)
            return configured;
        var file = FileIn(dataDirectory);
        return File.Exists(file) ? File.ReadAllText(file).Trim() : null;
    }

    /// <summary>The same, made now if there is none: for several servers, which must not make one each.</summary>
    public static string ReadOrMake(string dataDirectory)
    {
        if (Find(dataDirectory) is { } found)
            return found;
        var key = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        Directory.CreateDirectory(dataDirectory);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(FileIn(dataDirectory), options);
        writer.WriteLine(key);
        return key;
    }

    private static string FileIn(string dataDirectory) => Path.Combine(dataDirectory, "secret-key");
}
