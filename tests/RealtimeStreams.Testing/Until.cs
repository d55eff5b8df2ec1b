using System.Diagnostics;

namespace RealtimeStreams.Testing;

/// <summary>Waits for what has no event to wait for.</summary>
public static class Until
{
    private static readonly TimeSpan interval = TimeSpan.FromMilliseconds(5);

    /// <summary>Returns once the condition holds; after the limit it throws, saying what was missing.</summary>
    /// <param name="missing">Says what is missing, as it is then.</param>
    /// <param name="condition">Looked at again and again.</param>
    /// <param name="limit">How long. Default: a minute, which a busy machine needs and a broken product does not help.</param>
    public static Task TrueAsync(Func<string> missing, Func<bool> condition, TimeSpan? limit = null) =>
        TrueAsync(missing, () => Task.FromResult(condition()), limit);

    /// <inheritdoc cref="TrueAsync(Func{string}, Func{bool}, TimeSpan?)" />
    public static async Task TrueAsync(Func<string> missing, Func<Task<bool>> condition, TimeSpan? limit = null)
    {
        var began = Stopwatch.GetTimestamp();
        var most = limit ?? TimeSpan.FromMinutes(1);
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(began) > most) throw new TimeoutException($"After {most.TotalSeconds} s: {missing()}");
            await Task.Delay(interval, TimeProvider.System);
        }
    }
}
