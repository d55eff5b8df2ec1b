using System.Text.RegularExpressions;

using Microsoft.Extensions.Logging;

namespace RealtimeStreams.EmbeddedBroker.Running;

/// <summary>Puts what the server writes into our log, and keeps its last lines for a message about its end.</summary>
internal sealed partial class ServerLog(ILogger logger)
{
    private const int Kept = 20;
    private readonly Queue<string> last = new(Kept);

    public string LastLines
    {
        get
        {
            lock (last) return last.Count == 0 ? "It wrote nothing." : "Its last lines:\n  " + string.Join("\n  ", last);
        }
    }

    public void Write(string line)
    {
        var match = Line().Match(line);
        var (level, text) = match.Success ? (LevelOf(match.Groups[1].ValueSpan), match.Groups[2].Value) : (LogLevel.Warning, line);
        // It cannot know that the file is readable by this user only.
        if (text.StartsWith("Plaintext passwords detected", StringComparison.Ordinal)) level = LogLevel.Debug;
        lock (last)
        {
            while (last.Count >= Kept) last.Dequeue();
            last.Enqueue(text);
        }

        LogLine(logger, level, text);
    }

    // Its informations are its start-up banner and each store that it recovers: what happens as it should.
    private static LogLevel LevelOf(ReadOnlySpan<char> word) => word switch
    {
        "TRC" => LogLevel.Trace,
        "DBG" or "INF" => LogLevel.Debug,
        "WRN" => LogLevel.Warning,
        _ => LogLevel.Error,
    };

    [GeneratedRegex(@"^\[[0-9]+\] \[([A-Z]{3})\] (.*)$")]
    private static partial Regex Line();

    [LoggerMessage(EventId = 1551, Message = "nats-server: {Line}")]
    private static partial void LogLine(ILogger logger, LogLevel level, string line);
}
