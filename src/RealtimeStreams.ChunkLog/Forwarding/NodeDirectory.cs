using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using RealtimeStreams.ChunkLog.Announcing;

namespace RealtimeStreams.ChunkLog.Forwarding;

/// <summary>The nodes that say that they live, and which of them writes a contended stream. A hint for speed: correctness needs no agreement.</summary>
internal sealed class NodeDirectory : IDisposable
{
    private const string Topic = "node";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(6);

    private readonly ConcurrentDictionary<string, long> seen = new(StringComparer.Ordinal);
    private readonly NodeMessages messages;
    private readonly TimeProvider clock;
    private readonly IDisposable subscription;
    private readonly ITimer timer;

    public NodeDirectory(NodeMessages messages, TimeProvider clock)
    {
        this.messages = messages;
        this.clock = clock;
        subscription = messages.Subscribe(Topic, id => seen[id] = clock.GetTimestamp());
        timer = clock.CreateTimer(_ => Announce(), null, TimeSpan.Zero, Interval);
    }

    /// <summary>This node's id: new at each start.</summary>
    public string Self { get; } = Guid.NewGuid().ToString("N");

    /// <summary>The node that rendezvous hashing names for a subject: the highest hash of node and subject wins (Thaler and Ravishankar, 1998).</summary>
    public string OwnerOf(string subject)
    {
        var owner = Self;
        var best = Score(Self, subject);
        foreach (var (id, at) in seen)
        {
            if (id == Self) continue;
            if (clock.GetElapsedTime(at) > Lifetime)
            {
                seen.TryRemove(id, out _);
                continue;
            }
            var score = Score(id, subject);
            if (score <= best) continue;
            best = score;
            owner = id;
        }
        return owner;
    }

    /// <summary>Forgets a node that does not answer.</summary>
    public void Forget(string id) => seen.TryRemove(id, out _);

    public void Dispose()
    {
        timer.Dispose();
        subscription.Dispose();
    }

    private static ulong Score(string node, string subject) => BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"{node} {subject}")));

    private void Announce()
    {
        // Not awaited: a timer's callback. A lost announcement is made up by the next.
        _ = AnnounceAsync();

        async Task AnnounceAsync()
        {
            try
            {
                await messages.PublishAsync(Topic, Self, CancellationToken.None);
            }
            catch (LogUnavailableException)
            {
                // The broker is away, and with it the need.
            }
        }
    }
}
