using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>The bytes of a run's streams together, as far as this server knows: what it stored itself at once, what others stored as of the last look. What expired counts.</summary>
/// <remarks>
/// Shared by all who write to the run here, without a lock and without allocation. What was stored is told to the registry, and what others told is learnt, by
/// <c>Counting/UsageReports</c>: within a second where a limit is in force. What a server stored and had not told when it was killed is not counted.
/// </remarks>
/// <param name="environment">The tenant.</param>
/// <param name="run">The run.</param>
/// <param name="version">Its streams version.</param>
/// <param name="bytes">What the registry has counted.</param>
/// <param name="changed">Called when there is something to be told, once until it is.</param>
public sealed class RunUsage(EnvironmentId environment, RunId run, StreamsVersion version, long bytes, Action<RunUsage>? changed)
{
    private readonly Lock learning = new(); // Guards the next two.
    private long registered = bytes;
    private bool telling;

    private long counted = bytes;
    private long untold;
    private long underway;
    private int noted;

    internal EnvironmentId Environment => environment;

    internal RunId Run => run;

    internal StreamsVersion Version => version;

    /// <summary>When it was told last, or made, in ticks of <see cref="TimeProvider.GetTimestamp"/>. Owned by whoever tells.</summary>
    internal long ToldAt { get; set; }

    /// <summary>Whether the run has ended, so that nobody needs to be told of its bytes any more.</summary>
    internal bool HasEnded { get; private set; }

    /// <summary>What is known to be stored.</summary>
    public long Bytes => Interlocked.Read(ref counted);

    /// <summary>Takes room for bytes that are going to be stored, so that others who do so at the same time know. <see cref="Settle"/> must follow.</summary>
    /// <returns>How many bytes the run has without them, with all that is being stored.</returns>
    public long Take(int bytes)
    {
        var before = Interlocked.Add(ref underway, bytes) - bytes;
        return before + Interlocked.Read(ref counted);
    }

    /// <summary>Says what became of bytes that room was taken for.</summary>
    /// <param name="bytes">The room.</param>
    /// <param name="stored">How many of them were stored.</param>
    public void Settle(int bytes, int stored)
    {
        if (stored > 0)
        {
            Interlocked.Add(ref counted, stored); // First: in between they count twice rather than not at all.
            Interlocked.Add(ref untold, stored);
        }
        Interlocked.Add(ref underway, -bytes);
        if (stored > 0 && Interlocked.Exchange(ref noted, 1) == 0) changed?.Invoke(this);
    }

    /// <summary>The run takes nothing more.</summary>
    internal void End() => HasEnded = true;

    /// <summary>What is to be told. <see cref="EndTelling"/> or <see cref="GiveUpTelling"/> must follow.</summary>
    internal long BeginTelling()
    {
        lock (learning) telling = true;
        Volatile.Write(ref noted, 0); // What is stored from here on is noted anew.
        return Interlocked.Exchange(ref untold, 0);
    }

    /// <summary>It was told.</summary>
    /// <param name="told">What.</param>
    /// <param name="total">What the registry has now; null when the run is gone.</param>
    internal void EndTelling(long told, long? total)
    {
        lock (learning)
        {
            Interlocked.Add(ref counted, (total - registered - told) ?? 0); // What others told since.
            registered = total ?? registered;
            telling = false;
        }
    }

    /// <summary>It may not have been told: it is to be told again.</summary>
    internal void GiveUpTelling(long told)
    {
        lock (learning) telling = false;
        Interlocked.Add(ref untold, told);
        if (Interlocked.Exchange(ref noted, 1) == 0) changed?.Invoke(this);
    }

    /// <summary>Takes in what the registry was seen to have.</summary>
    internal void Learn(long total)
    {
        lock (learning)
        {
            // While this server tells, the total may have what it tells or not. An older total than is known says nothing.
            if (telling || total <= registered) return;
            Interlocked.Add(ref counted, total - registered);
            registered = total;
        }
    }
}
