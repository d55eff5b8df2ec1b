using System.Collections.Concurrent;
using RealtimeStreams.ChunkLog.Forwarding;

namespace RealtimeStreams.ChunkLog.Announcing;

/// <summary>Has all nodes drop what they hold in memory of a run that was erased, and waits until each says that it has.</summary>
/// <remarks>
/// A node that does not say so within the time that a node counts as living is gone, or has lost the broker; then it drops it when it finds the broker again.
/// </remarks>
internal sealed class Erasures : IDisposable
{
    private const string Topic = "erased";
    private const string AnswerTopic = "dropped";

    /// <summary>Longer than a node counts as living that is not any more.</summary>
    private static readonly TimeSpan Patience = NodeDirectory.Lifetime + TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly INodeMessages messages;
    private readonly NodeDirectory nodes;
    private readonly TimeProvider clock;
    private readonly Action<string> drop;
    private readonly ConcurrentDictionary<string, Waiting> waiting = new(StringComparer.Ordinal);
    private readonly IDisposable[] subscriptions;

    /// <param name="messages">Carries the word.</param>
    /// <param name="nodes">Who lives.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="drop">Drops what this node holds of the run that a subject filter names. Does not block.</param>
    public Erasures(INodeMessages messages, NodeDirectory nodes, TimeProvider clock, Action<string> drop)
    {
        (this.messages, this.nodes, this.clock, this.drop) = (messages, nodes, clock, drop);
        subscriptions = [messages.Subscribe(Topic, OnErased), messages.Subscribe(AnswerTopic, OnAnswer)];
    }

    /// <summary>Tells all nodes, and waits for them.</summary>
    /// <param name="filter">The run's subject filter.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="LogUnavailableException">Not all have answered. Ask again.</exception>
    public async Task TellAsync(string filter, CancellationToken cancellationToken)
    {
        drop(filter);
        var (id, mine) = (Guid.NewGuid().ToString("N"), new Waiting());
        waiting[id] = mine;
        try
        {
            await messages.PublishAsync(Topic, $"{id} {nodes.Self} {filter}", cancellationToken);
            var began = clock.GetTimestamp();
            while (true)
            {
                var answered = mine.Next; // First: an answer that comes during the look then ends the wait behind it.
                if (nodes.FindLiving().All(node => node == nodes.Self || mine.Answered.ContainsKey(node))) break;
                if (clock.GetElapsedTime(began) > Patience) throw new LogUnavailableException("Not all servers have said that they dropped what was erased.");
                await Task.WhenAny(answered, Task.Delay(Interval, clock, cancellationToken));
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            waiting.TryRemove(id, out _);
        }
    }

    public void Dispose()
    {
        foreach (var subscription in subscriptions) subscription.Dispose();
    }

    private void OnErased(string message)
    {
        if (message.Split(' ') is not [var id, var from, var filter]) return;
        if (from == nodes.Self) return; // Done before it was told.
        drop(filter);
        _ = AnswerAsync($"{id} {nodes.Self}"); // Not awaited: on the connection's own thread. Who waits asks again.
    }

    private async Task AnswerAsync(string answer)
    {
        try
        {
            await messages.PublishAsync(AnswerTopic, answer, CancellationToken.None);
        }
        catch (LogUnavailableException)
        {
            // The broker has gone, and with it whoever waits.
        }
    }

    private void OnAnswer(string message)
    {
        if (message.Split(' ') is [var id, var node] && waiting.TryGetValue(id, out var one)) one.Answer(node);
    }

    private sealed class Waiting
    {
        private TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentDictionary<string, bool> Answered { get; } = new(StringComparer.Ordinal);

        /// <summary>Completes with the next answer. To be taken before <see cref="Answered"/> is looked at, or an answer in between is missed.</summary>
        public Task Next => Volatile.Read(ref next).Task;

        public void Answer(string node)
        {
            Answered[node] = true;
            Interlocked.Exchange(ref next, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        }
    }
}
