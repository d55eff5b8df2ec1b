using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>The scopes of public access tokens that are needed most. All others are texts: <c>action:type:id</c>.</summary>
public static class AccessScopes
{
    /// <summary>Reads a run and all its streams.</summary>
    /// <exception cref="FormatException">The id cannot be a run's.</exception>
    public static string ReadRun(string runId) => $"read:runs:{RunId.Parse(runId)}";

    /// <summary>Appends to all streams of a run but its input streams, and closes them.</summary>
    /// <exception cref="FormatException">The id cannot be a run's.</exception>
    public static string WriteRun(string runId) => $"write:runs:{RunId.Parse(runId)}";

    /// <summary>Sends to all input streams of a run.</summary>
    /// <exception cref="FormatException">The id cannot be a run's.</exception>
    public static string SendToRun(string runId) => $"input:runs:{RunId.Parse(runId)}";

    /// <summary>Cancels a run.</summary>
    /// <exception cref="FormatException">The id cannot be a run's.</exception>
    public static string CancelRun(string runId) => $"cancel:runs:{RunId.Parse(runId)}";

    /// <summary>Reads one stream of a run.</summary>
    /// <exception cref="FormatException">The id cannot be a run's, or the key a stream's.</exception>
    public static string ReadStream(string runId, string key) => $"read:streams:{NameOf(runId, key)}";

    /// <summary>Appends to one stream of a run, and cannot close it.</summary>
    /// <exception cref="FormatException">The id cannot be a run's, or the key a stream's.</exception>
    public static string AppendToStream(string runId, string key) => $"append:streams:{NameOf(runId, key)}";

    // The first slash separates; those of the run are escaped, and with them what escapes.
    private static string NameOf(string runId, string key) =>
        $"{RunId.Parse(runId).Value.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal)}/{StreamKey.Parse(key)}";
}
