using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>A proxy whose network fails at random until it is healed: connections are refused, reset as soon as they are made, cut in the middle of anything, robbed of an answer, or stand
/// still for a while. Some faults last longer than a lease of four seconds.</summary>
internal sealed class BadNetwork : IAsyncDisposable
{
    private const int Kinds = 6;
    private readonly CancellationTokenSource healing = new();
    private readonly Random random;
    private readonly Task failing;

    /// <param name="target">The port behind it.</param>
    /// <param name="seed">Of the faults and their times.</param>
    public BadNetwork(int target, int seed)
    {
        random = new Random(seed);
        Proxy = new TcpProxy(target);
        failing = FailAsync();
    }

    public TcpProxy Proxy { get; }

    /// <summary>Ends the faults.</summary>
    public async Task HealAsync()
    {
        await healing.CancelAsync();
        await failing;
    }

    public async ValueTask DisposeAsync()
    {
        await HealAsync();
        await Proxy.DisposeAsync();
        healing.Dispose();
    }

    private async Task FailAsync()
    {
        for (var first = random.Next(Kinds); !healing.IsCancellationRequested; first++)
        {
            switch (first % Kinds) // Each in turn, so that none is left out of a short search.
            {
                case 0:
                    Proxy.StopListening();
                    Proxy.CutAll();
                    break;
                case 1:
                    Proxy.Refuse();
                    Proxy.CutAll();
                    break;
                case 2:
                    Proxy.CutRandomly(random.Next(), 50, 3000);
                    break;
                case 3:
                    Proxy.Pause();
                    break;
                case 4:
                    for (var answers = random.Next(1, 4); answers > 0; answers--) Proxy.SwallowNextAnswer();
                    break;
                default:
                    Proxy.CutAll();
                    break;
            }
            await (random.Next(8) == 0 ? RestAsync(4500, 6000) : RestAsync(50, 600));
            Proxy.Accept();
            Proxy.Resume();
            Proxy.StopCutting();
            await RestAsync(20, 400);
        }
    }

    private Task RestAsync(int least, int most) =>
        Task.Delay(TimeSpan.FromMilliseconds(random.Next(least, most)), TimeProvider.System, healing.Token).ContinueWith(_ => { }, TaskScheduler.Default);
}
