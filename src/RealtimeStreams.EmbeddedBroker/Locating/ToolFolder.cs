using Microsoft.Extensions.Logging;

namespace RealtimeStreams.EmbeddedBroker.Locating;

/// <summary>The fetched nats-servers of this user: a folder <c>nats-server-VERSION</c> each.</summary>
internal sealed partial class ToolFolder(string path, TimeProvider clock, ILogger logger)
{
    private const string Prefix = "nats-server-";
    private static readonly TimeSpan lockRetry = TimeSpan.FromMilliseconds(200);

    public string FullPath { get; } = Path.GetFullPath(path);

    /// <summary>The newest usable server here, or null.</summary>
    public async Task<NatsServerExecutable?> FindAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(FullPath)) return null;
        var candidates = Directory.EnumerateDirectories(FullPath, Prefix + "*")
            .Select(folder => (folder, version: Version.TryParse(Path.GetFileName(folder)[Prefix.Length..], out var version) ? version : null))
            .Where(candidate => candidate.version >= ServerVersion.Oldest)
            .OrderByDescending(candidate => candidate.version);
        foreach (var (folder, _) in candidates)
        {
            var answer = await ServerVersion.AskAsync(Path.Combine(folder, Surroundings.ExecutableName), cancellationToken);
            if (answer.Executable is { } executable) return executable;
        }

        return null;
    }

    /// <summary>
    /// Fetches a server from the first source that gives one. Of several processes that want it one fetches, the others wait and use
    /// what it got; the executable appears whole or not at all.
    /// </summary>
    /// <returns>The executable, or null when no source gave one; then <paramref name="reasons"/> has been told why.</returns>
    public async Task<NatsServerExecutable?> FetchAsync(
        IEnumerable<IServerSource> sources, ICollection<string> reasons, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(FullPath);
        await using var claim = await ClaimAsync(cancellationToken);
        if (await FindAsync(cancellationToken) is { } fetchedMeanwhile) return fetchedMeanwhile;

        foreach (var source in sources)
        {
            // On the same file system as its final place, so that moving it there is one step.
            var incoming = Directory.CreateDirectory(Path.Combine(FullPath, ".incoming-" + Guid.NewGuid().ToString("N"))).FullName;
            try
            {
                LogFetching(source.Name, FullPath);
                var fetched = await source.FetchAsync(incoming, cancellationToken);
                var answer = await ServerVersion.AskAsync(fetched, cancellationToken);
                if (answer.Executable is null) throw new ServerSourceException(answer.Reason);
                return Keep(answer.Executable);
            }
            catch (ServerSourceException exception)
            {
                LogSourceFailed(source.Name, exception.Message);
                reasons.Add($"{source.Name}: {exception.Message}");
            }
            finally
            {
                Directory.Delete(incoming, recursive: true);
            }
        }

        return null;
    }

    private NatsServerExecutable Keep(NatsServerExecutable fetched)
    {
        var home = Path.Combine(FullPath, Prefix + fetched.Version);
        var staged = Path.Combine(Path.GetDirectoryName(fetched.Path)!, ".staged");
        Directory.CreateDirectory(staged);
        File.Move(fetched.Path, Path.Combine(staged, Surroundings.ExecutableName));
        // There already, yet not found to be usable: damaged.
        if (Directory.Exists(home)) Directory.Delete(home, recursive: true);
        Directory.Move(staged, home);
        var executable = fetched with { Path = Path.Combine(home, Surroundings.ExecutableName) };
        LogFetched(executable.Version, executable.Path);
        return executable;
    }

    private async Task<FileStream> ClaimAsync(CancellationToken cancellationToken)
    {
        for (var told = false; ; told = true)
        {
            try
            {
                return new FileStream(Path.Combine(FullPath, "fetch.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (!cancellationToken.IsCancellationRequested)
            {
                if (!told) LogWaitingForOther(FullPath);
            }

            await Task.Delay(lockRetry, clock, cancellationToken);
        }
    }

    [LoggerMessage(EventId = 1511, Level = LogLevel.Information, Message = "Fetching nats-server into {Folder} from {Source}")]
    private partial void LogFetching(string source, string folder);

    [LoggerMessage(EventId = 1512, Level = LogLevel.Information, Message = "Fetched nats-server {Version}: {Path}")]
    private partial void LogFetched(Version version, string path);

    [LoggerMessage(EventId = 1513, Level = LogLevel.Information, Message = "No nats-server from {Source}: {Reason}")]
    private partial void LogSourceFailed(string source, string reason);

    [LoggerMessage(EventId = 1514, Level = LogLevel.Information, Message = "Another process is fetching nats-server into {Folder}: waiting for it")]
    private partial void LogWaitingForOther(string folder);
}
