using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace RealtimeStreams.EmbeddedBroker.Locating;

/// <summary>Asks an executable which nats-server it is.</summary>
internal static partial class ServerVersion
{
    /// <summary>The oldest that will do: messages with a time to live of their own, and what else the log needs.</summary>
    public static readonly Version Oldest = new(2, 12);

    // Generous, for a cold disk or a virus scanner that reads the file first; it takes milliseconds.
    private static readonly TimeSpan timeout = TimeSpan.FromSeconds(20);

    /// <summary>Runs the executable and says what it is, or why it will not do.</summary>
    public static async Task<ServerVersionAnswer> AskAsync(string path, CancellationToken cancellationToken)
    {
        var outcome = await CommandLine.RunAsync(path, ["--version"], timeout, cancellationToken);
        if (!outcome.Succeeded) return new ServerVersionAnswer(null, $"{path} does not run: {outcome.Reason}");
        if (!TryParse(outcome.Output, out var version))
            return new ServerVersionAnswer(null, $"{path} is no nats-server: it does not say its version");
        return version < Oldest
            ? new ServerVersionAnswer(null, $"{path} is version {version}, which is older than {Oldest}")
            : new ServerVersionAnswer(new NatsServerExecutable(path, version), "");
    }

    /// <summary>Reads <c>nats-server: v2.15.1</c>; a suffix such as <c>-RC.1</c> is left out.</summary>
    public static bool TryParse(string output, [NotNullWhen(true)] out Version? version)
    {
        version = null;
        var match = Pattern().Match(output);
        if (!match.Success) return false;
        return Version.TryParse(string.Create(CultureInfo.InvariantCulture, $"{match.Groups[1]}.{match.Groups[2]}.{match.Groups[3]}"), out version);
    }

    [GeneratedRegex(@"^nats-server:\s+v?([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})", RegexOptions.Multiline)]
    private static partial Regex Pattern();
}

/// <summary>A usable executable, or why it is none.</summary>
internal sealed record ServerVersionAnswer(NatsServerExecutable? Executable, string Reason);
