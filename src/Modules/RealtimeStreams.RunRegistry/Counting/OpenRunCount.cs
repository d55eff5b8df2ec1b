namespace RealtimeStreams.RunRegistry.Counting;

/// <summary>How many runs of one environment are open, as far as this server knows: what the last count saw, and all that was added here since.</summary>
/// <remarks>
/// Never less than what this server added: whoever adds a run takes its place before, so that however many do at once none goes beyond. A run that was being added when a count began may
/// be in it or not, and counts beside it. Where that decides, it is counted again when nothing is being added, which is soon, because nothing new is. A place that was taken
/// for what turns out to be there already is free again only then: who comes in between is refused at the last place. What others added is seen by the next count, and so is what ended.
/// </remarks>
internal sealed class OpenRunCount(TimeProvider clock)
{
    /// <summary>An open run takes 0.1 to 0.2 µs to count, so that counting takes some hundredths of the time at most.</summary>
    private static readonly TimeSpan pauseForEach = TimeSpan.FromMicroseconds(5);

    /// <summary>More runs than all servers of a database can add in a second.</summary>
    private const double MostAddedInASecond = 100_000;

    private static readonly TimeSpan shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan longest = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new(); // Guards all below.
    private long counted;
    private long added; // Since the last count began, with those that are being added.
    private long underway; // Of these the ones that are being added.
    private long addedBefore; // Of these the ones that a count which has begun sees.
    private long doubtful; // Of these the ones that were being added when the last count began, so that it may have seen them.
    private TaskCompletionSource? settled;
    private bool isKnown;
    private bool isCounting;
    private bool madeRoom;
    private long? countedUpTo; // The limit at which the last count stopped.
    private long begunAt;
    private TimeSpan pause;

    /// <summary>Held by whoever counts.</summary>
    public SemaphoreSlim Turn { get; } = new(1, 1);

    /// <summary>Takes a place for a run that is going to be added. <see cref="Settle"/> must follow when there was one.</summary>
    public bool TryTake(long most)
    {
        lock (gate)
        {
            if (counted + added >= most) return false;
            added++;
            underway++;
            return true;
        }
    }

    /// <summary>Says what became of a place that was taken.</summary>
    /// <param name="isAdded">Whether the run is there, or may be: where nobody knows, the next count puts it right.</param>
    public void Settle(bool isAdded)
    {
        lock (gate)
        {
            underway--;
            if (!isAdded) added--;
            if (underway > 0) return;
            settled?.SetResult(); // Whoever waits goes on elsewhere.
            settled = null;
        }
    }

    /// <summary>A run has ended or was erased: if there is no room, a count may find some.</summary>
    public void NoteRoom()
    {
        lock (gate) madeRoom = true;
    }

    /// <summary>Whether a count is to be made before it is decided on a limit, or one that is being made is to be waited for.</summary>
    public bool IsDue(long most)
    {
        lock (gate)
        {
            if (!isKnown) return true;
            var room = most - counted - added;
            if (isCounting) return room <= 0;
            var since = clock.GetElapsedTime(begunAt);
            if (since < pause) return false;
            if (most > countedUpTo) return true; // It was raised, and there may be more than were counted.
            if (room <= 0) return madeRoom || room + doubtful > 0 || since >= shortest;

            // All others together do not fill the room before the next count, unless that is a second away at most.
            return since >= shortest && since >= TimeSpan.FromSeconds(Math.Min(room / MostAddedInASecond, longest.TotalSeconds));
        }
    }

    /// <summary>Where there is no room, waits until nothing is being added, so that a count is exact: nothing new is added meanwhile. Otherwise it is done at once.</summary>
    public Task WhenSettledAsync(long most)
    {
        lock (gate)
        {
            if (underway == 0 || counted + added < most) return Task.CompletedTask;
            return (settled ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>The database is going to be asked. <see cref="End"/> or <see cref="GiveUp"/> must follow.</summary>
    public void Begin()
    {
        lock (gate)
        {
            (isCounting, madeRoom) = (true, false);
            (addedBefore, doubtful) = (added - underway, underway);
            begunAt = clock.GetTimestamp();
        }
    }

    /// <summary>The database has answered.</summary>
    /// <param name="count">How many runs are open.</param>
    /// <param name="most">Where it stopped to count.</param>
    public void End(long count, long most)
    {
        lock (gate)
        {
            (isCounting, isKnown) = (false, true);
            counted = count;
            added -= addedBefore;
            countedUpTo = count >= most ? most : null;
            pause = pauseForEach * count;
        }
    }

    /// <summary>The database has not answered: what was known stays so for a while.</summary>
    public void GiveUp()
    {
        lock (gate)
        {
            (isCounting, isKnown, madeRoom) = (false, true, true);
            pause = TimeSpan.FromTicks(Math.Max(shortest.Ticks, 16 * clock.GetElapsedTime(begunAt).Ticks));
        }
    }
}
