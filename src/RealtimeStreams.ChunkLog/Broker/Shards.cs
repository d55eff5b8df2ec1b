using System.Globalization;
using Microsoft.Extensions.Logging;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace RealtimeStreams.ChunkLog.Broker;

/// <summary>The JetStream streams that hold everything: 16, fixed when first made.</summary>
internal sealed partial class Shards(ChunkLogOptions options, ILogger<Shards> logger)
{
    private const string FormatKey = "realtimestreams.format";
    private const string CountKey = "realtimestreams.shards";
    private const int NotFound = 10059;
    private const int NameInUse = 10058;

    /// <summary>Makes the shards that are missing, checks those that are there, and follows changed settings.</summary>
    /// <returns>The fewest replicas that any shard has.</returns>
    /// <exception cref="InvalidOperationException">The broker holds shards of another layout, or ones whose settings break a promise.</exception>
    public async Task<int> EnsureAsync(NatsJSContext context, CancellationToken cancellationToken)
    {
        var replicas = int.MaxValue;
        for (var shard = 0; shard < SubjectMap.Shards; shard++)
        {
            var wanted = ConfigOf(shard);
            var config = await FindAsync(context, wanted.Name!, cancellationToken) ?? await CreateAsync(context, wanted, cancellationToken);
            Check(config);
            if (config.MaxAge != wanted.MaxAge || config.MaxBytes != wanted.MaxBytes || config.DuplicateWindow != wanted.DuplicateWindow)
            {
                config.DuplicateWindow = wanted.DuplicateWindow;
                config.MaxAge = wanted.MaxAge;
                config.MaxBytes = wanted.MaxBytes;
                await context.UpdateStreamAsync(config, cancellationToken);
                LogUpdated(wanted.Name!, wanted.MaxAge, wanted.MaxBytes);
            }
            replicas = Math.Min(replicas, config.NumReplicas);
        }
        return replicas;
    }

    private StreamConfig ConfigOf(int shard) => new(SubjectMap.ShardName(shard), [.. SubjectMap.SubjectsOf(shard)])
    {
        Storage = StreamConfigStorage.File,
        NumReplicas = options.Replicas,
        // None: it would take a stream's last record too, and with that its next index. What is old is given up by ExpireAsync.
        MaxAge = TimeSpan.Zero,
        MaxBytes = options.MaxStoreBytes is { } bytes ? bytes / SubjectMap.Shards : -1,
        // Acknowledged data is never dropped to make room: a full store refuses.
        Discard = StreamConfigDiscard.New,
        AllowDirect = true,
        // Not used (Nats-Msg-Id is never sent).
        DuplicateWindow = TimeSpan.FromMinutes(1),
        AllowMsgTTL = true,
        // Never reached; with any limit set the broker makes blocks of 4 MB in place of 8 MB, which halves the cost of a cold append.
        MaxMsgsPerSubject = 10_000_000,
        MaxConsumers = -1,
        MaxMsgs = -1,
        Republish = new Republish { Src = SubjectMap.Prefix + ">", Dest = SubjectMap.TailPrefix + SubjectMap.Prefix + ">" },
        Metadata = new Dictionary<string, string>
        {
            [FormatKey] = Records.RecordLayout.Version.ToString(CultureInfo.InvariantCulture),
            [CountKey] = SubjectMap.Shards.ToString(CultureInfo.InvariantCulture),
        },
    };

    private static async Task<StreamConfig?> FindAsync(NatsJSContext context, string name, CancellationToken cancellationToken)
    {
        try
        {
            return (await context.GetStreamAsync(name, cancellationToken: cancellationToken)).Info.Config;
        }
        catch (NatsJSApiException exception) when (exception.Error.ErrCode == NotFound)
        {
            return null;
        }
    }

    private async Task<StreamConfig> CreateAsync(NatsJSContext context, StreamConfig wanted, CancellationToken cancellationToken)
    {
        try
        {
            var made = await context.CreateStreamAsync(wanted, cancellationToken);
            LogCreated(wanted.Name!);
            return made.Info.Config;
        }
        catch (NatsJSApiException exception) when (exception.Error.ErrCode == NameInUse)
        {
            // Another node made it between our question and our wish.
            return (await context.GetStreamAsync(wanted.Name!, cancellationToken: cancellationToken)).Info.Config;
        }
    }

    private static void Check(StreamConfig config)
    {
        string? Metadata(string key) => config.Metadata?.TryGetValue(key, out var value) == true ? value : null;
        var format = Metadata(FormatKey);
        var count = Metadata(CountKey);
        if (format != Records.RecordLayout.Version.ToString(CultureInfo.InvariantCulture) || count != SubjectMap.Shards.ToString(CultureInfo.InvariantCulture))
            throw new InvalidOperationException(
                $"The broker's stream {config.Name} has format '{format}' and belongs to {count ?? "an unknown number of"} shards; this server reads format " +
                $"{Records.RecordLayout.Version} in {SubjectMap.Shards} shards. Use a broker (or an account) of its own, or the server version that made them.");
        if (config.PersistMode == StreamConfigPersistMode.Async)
            throw new InvalidOperationException($"The broker's stream {config.Name} persists asynchronously, which loses acknowledged chunks. Set its persist mode back to default.");
        if (config.Storage != StreamConfigStorage.File || !config.AllowDirect || config.Republish is null || config.Discard != StreamConfigDiscard.New)
            throw new InvalidOperationException($"The broker's stream {config.Name} was changed: it needs file storage, direct gets, republishing and discard new.");
    }

    [LoggerMessage(EventId = 1002, Level = LogLevel.Debug, Message = "Made the shard {Shard} on the broker")]
    private partial void LogCreated(string shard);

    [LoggerMessage(EventId = 1003, Level = LogLevel.Information, Message = "Changed the limits of shard {Shard}: age {MaxAge}, bytes {MaxBytes}")]
    private partial void LogUpdated(string shard, TimeSpan maxAge, long maxBytes);
}
