using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace RealtimeStreams.ChunkLog.Forwarding;

/// <summary>The nodes that say that they live, and which of them writes a contended stream. A hint for speed: correctness needs no agreement.</summary>
internal sealed class NodeDirectory : IDisposable
{
    private const string Topic = "node";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>How long a node counts as living after its last word.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(6);

    /// <summary>Before the id of a node that leaves.</summary>
    private const char Farewell = '-';

    private readonly ConcurrentDictionary<string, long> seen = new(StringComparer.Ordinal);
    // Who has said goodbye, and when: a word of his that was under way then is heard after it. Final, as ids are new at each start; forgotten after a lifetime, and so few.
    private readonly ConcurrentDictionary<string, long> departed = new(StringComparer.Ordinal);
    private readonly INodeMessages messages;
    private readonly TimeProvider clock;
    private readonly IDisposable subscription;
    private readonly ITimer timer;
    private volatile bool leaving;

    public NodeDirectory(INodeMessages messages, TimeProvider clock)
    {
        this.messages = messages;
        this.clock = clock;
        subscription = messages.Subscribe(Topic, OnWord);
        timer = clock.CreateTimer(_ => Announce(), null, Interval, Interval);
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

    /// <summary>The nodes that count as living.</summary>
    public IEnumerable<string> FindLiving() => seen.Where(node => clock.GetElapsedTime(node.Value) <= Lifetime).Select(node => node.Key);

    /// <summary>Tells the others that this node is there, before it serves anybody.</summary>
    public Task ArriveAsync(CancellationToken cancellationToken) => SayAsync(Self, cancellationToken);

    /// <summary>Tells the others that this node leaves, so that nobody waits for it.</summary>
    public Task LeaveAsync(CancellationToken cancellationToken)
    {
        leaving = true;
        timer.Dispose();
        return SayAsync(Farewell + Self, cancellationToken);
    }

    /// <summary>Forgets a node that does not answer.</summary>
    public void Forget(string id) => seen.TryRemove(id, out _);

    public void Dispose()
    {
        timer.Dispose();
        subscription.Dispose();
    }

    private static ulong Score(string node, string subject) => BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"{node} {subject}")));

    private void OnWord(string word)
    {
        if (word[..Math.Min(1, word.Length)] is [Farewell])
        {
            foreach (var (id, at) in departed)
                if (clock.GetElapsedTime(at) > Lifetime) departed.TryRemove(id, out _);
            departed[word[1..]] = clock.GetTimestamp();
            seen.TryRemove(word[1..], out _);
            return;
        }
        if (departed.ContainsKey(word)) return;
        // Who is new learns at once who is there.
        if (!seen.ContainsKey(word) && word != Self) Announce();
        seen[word] = clock.GetTimestamp();
    }

    private void Announce()
    {
        if (!leaving) _ = SayAsync(Self, CancellationToken.None); // Not awaited: a timer's callback. A lost word is made up by the next.
    }

    private async Task SayAsync(string word, CancellationToken cancellationToken)
    {
        try
        {
            await messages.PublishAsync(Topic, word, cancellationToken);
        }
        catch (LogUnavailableException)
        {
            // The broker is away, and with it the need.
        }
    }
}
