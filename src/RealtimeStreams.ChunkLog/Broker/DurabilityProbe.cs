using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;

namespace RealtimeStreams.ChunkLog.Broker;

/// <summary>Reads what an acknowledgement is worth from the broker itself.</summary>
internal static class DurabilityProbe
{
    /// <summary>Asks the broker's monitoring, where it has one, for its sync interval, and makes the class of it and the shards' replicas.</summary>
    public static async Task<DurabilityClass> ReadAsync(Uri? monitoring, int replicas, CancellationToken cancellationToken) =>
        Of(replicas, monitoring is null ? null : await ReadSyncIntervalAsync(monitoring, cancellationToken));

    public static DurabilityClass Of(int replicas, TimeSpan? sync)
    {
        var fsync = sync == TimeSpan.Zero;
        var name = (replicas > 1, sync) switch
        {
            (false, null) => "process",
            (false, { } interval) => fsync ? "fsync" : $"process+{Short(interval)}",
            (true, null) => "replicated",
            (true, _) => fsync ? "replicated+fsync" : "replicated",
        };
        var power = sync switch
        {
            null => "how much a power loss can cost depends on the broker's sync_interval, which it does not tell here",
            { Ticks: 0 } => "a power loss loses nothing acknowledged",
            { } interval => $"a power loss {(replicas > 1 ? "of all of them at once " : "")}can lose the last {Short(interval)}",
        };
        var copies = replicas > 1 ? $"kept on {replicas} brokers, of which a minority may be lost" : "kept on one broker";
        return new DurabilityClass(name, replicas, sync, $"Acknowledged chunks are {copies} and survive a crash of any process; {power}.");
    }

    private static string Short(TimeSpan interval) => interval.TotalSeconds >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{interval.TotalSeconds:0.###}s")
        : string.Create(CultureInfo.InvariantCulture, $"{interval.TotalMilliseconds:0}ms");

    private static async Task<TimeSpan?> ReadSyncIntervalAsync(Uri monitoring, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(3) };
        try
        {
            await using var body = await http.GetStreamAsync(new Uri(monitoring, "jsz?config=true"), cancellationToken);
            using var json = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
            if (!json.RootElement.TryGetProperty("config", out var config)) return null;
            if (config.TryGetProperty("sync_always", out var always) && always.ValueKind == JsonValueKind.True) return TimeSpan.Zero;
            // A Go duration: nanoseconds.
            return config.TryGetProperty("sync_interval", out var interval) ? TimeSpan.FromTicks(interval.GetInt64() / 100) : null;
        }
        catch (Exception exception) when (
            exception is HttpRequestException or SocketException or IOException or JsonException
            || exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}
