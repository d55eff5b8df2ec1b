using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk.Http;

/// <summary>The addresses of the native dialect, relative to the server's. Ids are one escaped segment each.</summary>
internal static class Paths
{
    public const string Runs = "api/v1/runs";

    public const string Tokens = "api/v1/tokens";

    public const string Erasures = "api/v1/erasures";

    public const string Claim = $"{Runs}/claim";

    public static string Run(RunId run) => $"{Runs}/{Uri.EscapeDataString(run.Value)}";

    public static string Streams(RunId run) => $"{Run(run)}/streams";

    public static string Stream(RunId run, StreamKey key) => InputStreams.FindName(key) is { } input
        ? $"{Run(run)}/inputs/{Uri.EscapeDataString(input)}"
        : $"{Streams(run)}/{Uri.EscapeDataString(key.Value)}";

    /// <summary>The server's address as a base of relative ones: with a slash at its end, or its last segment would be replaced.</summary>
    public static Uri ToBase(Uri address) =>
        address.AbsolutePath.EndsWith('/') ? address : new Uri(address.AbsoluteUri + "/", UriKind.Absolute);
}
