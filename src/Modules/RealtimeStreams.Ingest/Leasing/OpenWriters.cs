using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest.Leasing;

/// <summary>Counts the open connections of each stream, and renews the leases of those that last: each stream's at most once in a third of its lease.</summary>
/// <remarks>
/// A connection of less than a second is not told to anybody: its appends stand in the log with their time. What is due is renewed in one batch. While the registry is away it stays
/// due; sweepers cannot reach it either, and leave time for a renewal when it is back. A node that dies renews nothing more.
/// </remarks>
internal sealed partial class OpenWriters(IWriterLeases leases, IngestTelemetry telemetry, TimeProvider clock, ILogger<OpenWriters> logger)
    : BackgroundService, IOpenWriters
{
    private static readonly TimeSpan tick = TimeSpan.FromSeconds(1);

    /// <summary>When to look again for a stream that has not begun, or has no lease.</summary>
    private static readonly TimeSpan unknown = TimeSpan.FromSeconds(10);

    // So that what is remembered of connections that are closed stays bounded also with leases of days.
    private static readonly TimeSpan longest = TimeSpan.FromHours(1);

    private readonly Lock gate = new();
    private readonly Dictionary<StreamAddress, Presence> byStream = []; // Guarded by the gate, as are its values. An entry outlives its connections until it would be due.

    public IDisposable Enter(StreamAddress stream)
    {
        lock (gate)
        {
            if (!byStream.TryGetValue(stream, out var presence)) byStream.Add(stream, presence = new Presence(clock.GetTimestamp() + Ticks(tick)));
            presence.Connections++;
            return new Connection(this, presence);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(tick, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await RenewDueAsync(stoppingToken);
    }

    /// <summary>Renews what is due.</summary>
    internal async Task RenewDueAsync(CancellationToken cancellationToken)
    {
        var due = TakeDue();
        if (due.Count == 0) return;
        try
        {
            var renewed = await leases.RenewAsync(due, cancellationToken);
            Settle(due, renewed);
            telemetry.Renewed(renewed.Count);
        }
        catch (RegistryUnavailableException exception)
        {
            LogUnavailable(due.Count, exception);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailed(due.Count, exception); // Tried again with the next tick: the server serves on.
        }
    }

    private List<StreamAddress> TakeDue()
    {
        var now = clock.GetTimestamp();
        List<StreamAddress> due = [];
        lock (gate)
        {
            foreach (var (stream, presence) in byStream)
            {
                if (now < presence.Due) continue;
                if (presence.Connections > 0) due.Add(stream);
                else byStream.Remove(stream); // A dictionary may be removed from while it is walked through.
            }
        }
        return due;
    }

    private void Settle(List<StreamAddress> due, IReadOnlyDictionary<StreamAddress, TimeSpan> renewed)
    {
        var now = clock.GetTimestamp();
        lock (gate)
        {
            foreach (var stream in due)
                if (byStream.TryGetValue(stream, out var presence)) presence.Due = now + Ticks(NextAfter(stream, renewed));
        }
    }

    private static TimeSpan NextAfter(StreamAddress stream, IReadOnlyDictionary<StreamAddress, TimeSpan> renewed) =>
        !renewed.TryGetValue(stream, out var lease) ? unknown : lease / 3 < longest ? lease / 3 : longest;

    private void Leave(Presence presence)
    {
        lock (gate) presence.Connections--;
    }

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * clock.TimestampFrequency);

    [LoggerMessage(EventId = 1106, Level = LogLevel.Warning, Message = "The leases of {Count} streams with open writers could not be renewed: the registry cannot be reached")]
    private partial void LogUnavailable(int count, Exception exception);

    [LoggerMessage(EventId = 1107, Level = LogLevel.Error, Message = "The leases of {Count} streams with open writers could not be renewed")]
    private partial void LogFailed(int count, Exception exception);

    private sealed class Presence(long due)
    {
        /// <summary>When it is to be renewed next, in ticks of <see cref="TimeProvider.GetTimestamp"/>.</summary>
        public long Due { get; set; } = due;

        public int Connections { get; set; }
    }

    private sealed class Connection(OpenWriters writers, Presence presence) : IDisposable
    {
        private Presence? open = presence;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref open, null) is { } left) writers.Leave(left);
        }
    }
}
