using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace RealtimeStreams.EmbeddedBroker.Running;

/// <summary>
/// The broker's folder under the data directory, held by this process alone: two servers on one store would destroy it. The claim is the
/// system's lock on a file, so that it ends with the process, however that ends.
/// </summary>
internal sealed class BrokerFolder : IDisposable
{
    // Start times are computed from the time of boot, and may differ a little from one reading process to the next.
    private static readonly TimeSpan startTolerance = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan orphanLimit = TimeSpan.FromSeconds(10);

    private readonly FileStream claim;
    private readonly string pidFile;

    private BrokerFolder(string path, FileStream claim)
    {
        FullPath = path;
        this.claim = claim;
        pidFile = Path.Combine(path, "nats-server.pid");
    }

    public string FullPath { get; }

    public string Configuration => Path.Combine(FullPath, "nats-server.conf");

    public string Store => Path.Combine(FullPath, "jetstream");

    /// <summary>Makes the folder if it is not there, and claims it.</summary>
    /// <exception cref="EmbeddedBrokerException">Another process has it, or it cannot be written.</exception>
    public static BrokerFolder Claim(string dataDirectory)
    {
        var path = Path.GetFullPath(Path.Combine(dataDirectory, "broker"));
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
            else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new EmbeddedBrokerException($"The broker's folder {path} cannot be made: {exception.Message} Set RealtimeStreams:DataDirectory.", exception);
        }

        try
        {
            return new BrokerFolder(
                path, new FileStream(Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException exception)
        {
            throw new EmbeddedBrokerException(
                $"Another server already uses the data directory {Path.GetFullPath(dataDirectory)}. Stop it, set RealtimeStreams:DataDirectory "
                + "(environment variable RealtimeStreams__DataDirectory) to another folder, or let both use one broker by ConnectionStrings:nats.",
                exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new EmbeddedBrokerException($"The broker's folder {path} cannot be written: {exception.Message}", exception);
        }
    }

    /// <summary>Notes which process uses the store.</summary>
    public void Remember(Process server) =>
        File.WriteAllText(pidFile, string.Create(CultureInfo.InvariantCulture, $"{server.Id} {server.StartTime.ToUniversalTime().Ticks}"));

    /// <summary>
    /// Ends a server that an earlier process of ours left behind, though it should have ended with it. Told from a stranger that got the same
    /// process id by its name and start time. The claim proves that nobody watches it any more.
    /// </summary>
    /// <returns>The id of the process that was ended; null if there was none.</returns>
    public int? EndOrphan()
    {
        if (!File.Exists(pidFile)) return null;
        var parts = File.ReadAllText(pidFile).Split(' ');
        if (parts.Length != 2
            || !int.TryParse(parts[0], CultureInfo.InvariantCulture, out var id)
            || !long.TryParse(parts[1], CultureInfo.InvariantCulture, out var started))
            return null;

        try
        {
            using var process = Process.GetProcessById(id);
            var startedThen = new DateTime(started, DateTimeKind.Utc);
            if (!process.ProcessName.StartsWith("nats-server", StringComparison.Ordinal)
                || (process.StartTime.ToUniversalTime() - startedThen).Duration() > startTolerance)
                return null;
            process.Kill();
            process.WaitForExit(orphanLimit);
            return id;
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return null; // It is gone, or it is somebody else's.
        }
    }

    public void Dispose() => claim.Dispose();
}
