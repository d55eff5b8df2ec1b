using Microsoft.Extensions.Logging;

namespace RealtimeStreams.EmbeddedBroker.Locating;

/// <summary>
/// Debian's own package of a newer suite, from the mirror that this machine uses: downloaded and unpacked, not installed. apt gets a source list,
/// state and cache of its own in the folder, so that nothing of the system is touched and no rights are needed; what it
/// downloads is checked against the system's archive keyring, as always.
/// </summary>
internal sealed partial class DebianPackage(ILogger logger, string systemConfiguration = "") : IServerSource
{
    // nats-server of 2.12 or newer: testing's since "forky", and what comes after it in "sid". Both names outlive their release.
    private static readonly string[] suites = ["forky", "sid"];
    private static readonly string[] keyrings = ["/usr/share/keyrings/debian-archive-keyring.pgp", "/usr/share/keyrings/debian-archive-keyring.gpg"];
    private static readonly TimeSpan askLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan downloadLimit = TimeSpan.FromMinutes(5);

    public string Name => "Debian package";

    public async Task<string> FetchAsync(string folder, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux() || !await IsDebianAsync(cancellationToken)) throw new ServerSourceException("this is not Debian");

        var reasons = new List<string>();
        foreach (var mirror in await FindMirrorsAsync(cancellationToken))
        {
            foreach (var suite in suites)
            {
                var scratch = Directory.CreateDirectory(Path.Combine(folder, $"apt-{reasons.Count}")).FullName;
                LogDownloading(suite, mirror);
                var (path, reason) = await TryFetchAsync(scratch, mirror, suite, cancellationToken);
                if (path is not null) return path;
                reasons.Add($"{suite} at {mirror}: {reason}");
            }
        }

        throw new ServerSourceException(reasons.Count == 0 ? "apt has no mirror of Debian configured" : string.Join("; ", reasons));
    }

    /// <summary>Of <c>apt-get indextargets</c>' lines the addresses of Debian's main repository: not security, not updates, not a vendor's.</summary>
    internal static IReadOnlyList<string> MirrorsIn(string indexTargets, string codename)
    {
        string[] releases = [codename, "stable", "oldstable", "oldoldstable", "testing", "unstable", "sid"];
        return [.. indexTargets.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' '))
            .Where(fields => fields.Length == 3 && fields[2] == "main" && fields[1].Length > 0 && releases.Contains(fields[1]))
            .Select(fields => fields[0])
            .Where(uri => !uri.StartsWith("cdrom:", StringComparison.Ordinal))
            .Distinct()];
    }

    private static async Task<(string? Path, string Reason)> TryFetchAsync(
        string scratch, string mirror, string suite, CancellationToken cancellationToken)
    {
        var configuration = await ConfigureAsync(scratch, mirror, suite, cancellationToken);
        foreach (var command in (string[][])[["update"], ["download", "nats-server"]])
        {
            var outcome = await AptAsync(scratch, configuration, command, cancellationToken);
            if (!outcome.Succeeded) return (null, $"apt-get {string.Join(' ', command)}: {outcome.Reason}");
        }

        if (Directory.GetFiles(scratch, "nats-server_*.deb") is not [var package]) return (null, "apt-get downloaded no package");
        var content = Path.Combine(scratch, "content");
        var unpacked = await CommandLine.RunAsync("dpkg-deb", ["--extract", package, content], askLimit, cancellationToken);
        if (!unpacked.Succeeded) return (null, $"dpkg-deb: {unpacked.Reason}");

        string[] places = [Path.Combine(content, "usr", "sbin", "nats-server"), Path.Combine(content, "usr", "bin", "nats-server")];
        if (places.FirstOrDefault(File.Exists) is not { } path) return (null, "the package holds no nats-server");
        var answer = await ServerVersion.AskAsync(path, cancellationToken);
        return answer.Executable is null ? (null, answer.Reason) : (path, "");
    }

    // The lists that are cleared would run the system's hooks after an update; containers have one there that empties the system's cache.
    private static async Task<string> ConfigureAsync(string scratch, string mirror, string suite, CancellationToken cancellationToken)
    {
        var signedBy = keyrings.FirstOrDefault(File.Exists) is { } keyring ? $"signed-by={keyring} " : ""; // Else: those apt trusts anyway.
        var sources = Path.Combine(scratch, "sources.list");
        await File.WriteAllTextAsync(sources, $"deb [{signedBy}target=Packages] {mirror} {suite} main\n", cancellationToken);
        Directory.CreateDirectory(Path.Combine(scratch, "lists", "partial"));
        Directory.CreateDirectory(Path.Combine(scratch, "cache", "archives", "partial"));

        var configuration = Path.Combine(scratch, "apt.conf");
        await File.WriteAllTextAsync(
            configuration,
            $$"""
            #clear APT::Update::Pre-Invoke;
            #clear APT::Update::Post-Invoke;
            #clear APT::Update::Post-Invoke-Success;
            #clear APT::Default-Release;
            Dir::Etc::SourceList "{{sources}}";
            Dir::Etc::SourceParts "/dev/null";
            Dir::Etc::Preferences "/dev/null";
            Dir::Etc::PreferencesParts "/dev/null";
            Dir::State "{{scratch}}";
            Dir::State::Lists "{{scratch}}/lists";
            Dir::State::status "/dev/null";
            Dir::Cache "{{scratch}}/cache";
            Acquire::Languages "none";
            Acquire::http::Timeout "15";
            Acquire::https::Timeout "15";
            APT::Sandbox::User "";

            """,
            cancellationToken);
        return configuration;
    }

    private static Task<CommandOutcome> AptAsync(string scratch, string configuration, string[] command, CancellationToken cancellationToken) =>
        CommandLine.RunAsync("apt-get", ["--quiet", "-c", configuration, .. command], downloadLimit, cancellationToken, scratch);

    private static async Task<bool> IsDebianAsync(CancellationToken cancellationToken) =>
        (await ReadReleaseAsync(cancellationToken)).GetValueOrDefault("ID") == "debian";

    private async Task<IReadOnlyList<string>> FindMirrorsAsync(CancellationToken cancellationToken)
    {
        // Without the releases' own information, which is there only after somebody ran "apt-get update".
        string[] more = systemConfiguration.Length > 0 ? ["-c", systemConfiguration] : [];
        var outcome = await CommandLine.RunAsync(
            "apt-get", [.. more, "indextargets", "--no-release-info", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"], askLimit, cancellationToken);
        if (!outcome.Succeeded) throw new ServerSourceException($"apt-get indextargets: {outcome.Reason}");
        return MirrorsIn(outcome.Output, (await ReadReleaseAsync(cancellationToken)).GetValueOrDefault("VERSION_CODENAME", ""));
    }

    private static async Task<Dictionary<string, string>> ReadReleaseAsync(CancellationToken cancellationToken)
    {
        const string file = "/etc/os-release";
        if (!File.Exists(file)) return [];
        return (await File.ReadAllLinesAsync(file, cancellationToken))
            .Select(line => line.Split('=', 2))
            .Where(parts => parts.Length == 2)
            .GroupBy(parts => parts[0])
            .ToDictionary(group => group.Key, group => group.First()[1].Trim('"'));
    }

    [LoggerMessage(EventId = 1531, Level = LogLevel.Information, Message = "Downloading Debian's package nats-server of {Suite} from {Mirror} (16 MB)")]
    private partial void LogDownloading(string suite, string mirror);
}
