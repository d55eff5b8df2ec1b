using System.Text;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

using RealtimeStreams.EmbeddedBroker.Locating;

namespace RealtimeStreams.EmbeddedBroker;

/// <summary>
/// Finds a nats-server of version 2.12 or newer: the configured one, one that is installed, one that was fetched before, or else one
/// fetched now into the user's cache.
/// </summary>
public sealed partial class NatsServerLocator
{
    private readonly string? configuredPath;
    private readonly Surroundings surroundings;
    private readonly IReadOnlyList<IServerSource> sources;
    private readonly TimeProvider clock;
    private readonly ILogger<NatsServerLocator> logger;

    /// <summary>Makes a locator for this machine.</summary>
    public NatsServerLocator(IOptions<EmbeddedBrokerOptions> options, TimeProvider clock, ILogger<NatsServerLocator> logger)
        : this(
            options.Value.NatsServerPath,
            Surroundings.OfThisMachine(),
            [new ReleaseArchive(ReleaseArchive.OfficialReleases, PinnedRelease.OfThisPlatform, logger), new DebianPackage(logger)],
            clock,
            logger)
    {
    }

    internal NatsServerLocator(
        string? configuredPath, Surroundings surroundings, IReadOnlyList<IServerSource> sources, TimeProvider clock, ILogger<NatsServerLocator> logger)
    {
        this.configuredPath = configuredPath;
        this.surroundings = surroundings;
        this.sources = sources;
        this.clock = clock;
        this.logger = logger;
    }

    /// <summary>Finds the executable, and fetches it if need be, which takes some seconds and happens once per machine.</summary>
    /// <exception cref="NatsServerNotFoundException">There is none. The message names every way that was tried, and what to do.</exception>
    public async Task<NatsServerExecutable> FindAsync(CancellationToken cancellationToken)
    {
        if (!string.IsNullOrWhiteSpace(configuredPath)) return await AskConfiguredAsync(configuredPath, cancellationToken);

        var reasons = new List<string>();
        if (await FindInstalledAsync(reasons, cancellationToken) is { } installed) return installed;

        var tools = new ToolFolder(surroundings.ToolFolder, clock, logger);
        if (await tools.FindAsync(cancellationToken) is { } fetchedBefore) return fetchedBefore;
        reasons.Add($"fetched earlier: none in {tools.FullPath}");

        if (await FetchAsync(tools, reasons, cancellationToken) is { } fetched) return fetched;
        throw new NatsServerNotFoundException(Explain(reasons));
    }

    // A path that somebody configured is meant: another server in its place would be a surprise.
    private static async Task<NatsServerExecutable> AskConfiguredAsync(string path, CancellationToken cancellationToken)
    {
        var full = Path.GetFullPath(path);
        var answer = File.Exists(full)
            ? await ServerVersion.AskAsync(full, cancellationToken)
            : new ServerVersionAnswer(null, $"{full} does not exist");
        return answer.Executable ?? throw new NatsServerNotFoundException(
            $"RealtimeStreams:NatsServerPath names no usable nats-server: {answer.Reason}. Correct the path, or remove it to have one found or fetched.");
    }

    private async Task<NatsServerExecutable?> FindInstalledAsync(List<string> reasons, CancellationToken cancellationToken)
    {
        foreach (var folder in surroundings.SearchFolders)
        {
            var path = Path.Combine(folder, Surroundings.ExecutableName);
            if (!File.Exists(path)) continue;
            var answer = await ServerVersion.AskAsync(path, cancellationToken);
            if (answer.Executable is { } executable) return executable;
            LogPassedOver(answer.Reason);
            reasons.Add($"installed: {answer.Reason}");
        }

        if (reasons.Count == 0) reasons.Add("installed: no nats-server on PATH");
        return null;
    }

    private async Task<NatsServerExecutable?> FetchAsync(ToolFolder tools, List<string> reasons, CancellationToken cancellationToken)
    {
        try
        {
            return await tools.FetchAsync(sources, reasons, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            reasons.Add($"fetching: {tools.FullPath} cannot be written: {exception.Message}");
            return null;
        }
    }

    private static string Explain(IEnumerable<string> reasons)
    {
        var text = new StringBuilder("No nats-server was found, and none could be fetched.").AppendLine().AppendLine("Tried:");
        foreach (var reason in reasons) text.Append(" - ").AppendLine(reason);
        return text.AppendLine("Do one of these:")
            .AppendLine($" - install nats-server {ServerVersion.Oldest} or newer, so that it is on PATH (https://docs.nats.io/running-a-nats-service/introduction/installation)")
            .AppendLine(" - name its executable in RealtimeStreams:NatsServerPath (environment variable RealtimeStreams__NatsServerPath)")
            .Append(" - use a broker that runs elsewhere: ConnectionStrings:nats (environment variable ConnectionStrings__nats), such as nats://host:4222")
            .ToString();
    }

    [LoggerMessage(EventId = 1501, Level = LogLevel.Information, Message = "Passed over an installed nats-server: {Reason}")]
    private partial void LogPassedOver(string reason);
}
