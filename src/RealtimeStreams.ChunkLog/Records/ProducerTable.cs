using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Records;

/// <summary>The producers that wrote to a stream last, at most 64, the last used first.</summary>
internal sealed class ProducerTable
{
    // Searched in a line: a stream has one to three producers, and 64 comparisons of short strings cost less than a microsecond.
    private readonly List<ProducerState> entries = new(4);

    public IReadOnlyList<ProducerState> Entries => entries;

    public int Count => entries.Count;

    public bool TryFind(ProducerId id, out ProducerState state)
    {
        foreach (var entry in entries)
        {
            if (entry.Id != id) continue;
            state = entry;
            return true;
        }
        state = default;
        return false;
    }

    /// <summary>Moves a producer to the front; the one unused for longest leaves.</summary>
    public void Use(ProducerState state)
    {
        var at = entries.FindIndex(entry => entry.Id == state.Id);
        if (at == 0)
        {
            entries[0] = state;
            return;
        }
        if (at > 0) entries.RemoveAt(at);
        else if (entries.Count == RecordLayout.MaxProducers) entries.RemoveAt(entries.Count - 1);
        entries.Insert(0, state);
    }

    public void CopyFrom(ProducerTable other)
    {
        entries.Clear();
        entries.AddRange(other.entries);
    }

    public void CopyFrom(IEnumerable<ProducerState> states)
    {
        entries.Clear();
        entries.AddRange(states);
    }
}
