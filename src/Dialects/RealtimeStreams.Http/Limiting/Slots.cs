namespace RealtimeStreams.Http.Limiting;

/// <summary>Places for what goes on at the same time. How many there are is said with each taking, because operators change it while places are taken.</summary>
internal sealed class Slots
{
    private int taken;

    public int Taken => Volatile.Read(ref taken);

    public bool TryTake(int most)
    {
        if (Interlocked.Increment(ref taken) <= most) return true;
        Interlocked.Decrement(ref taken);
        return false;
    }

    public void Return() => Interlocked.Decrement(ref taken);
}
