using Microsoft.Extensions.Time.Testing;

using RealtimeStreams.EmbeddedBroker.Running;

namespace RealtimeStreams.EmbeddedBroker.Tests;

public class RestartDelaysTests
{
    private readonly FakeTimeProvider clock = new();

    [Fact]
    public void The_first_restart_is_at_once_and_the_later_ones_after_20_ms_to_5_s()
    {
        var delays = new RestartDelays(clock);

        double[] taken = [.. Enumerable.Range(0, 12).Select(_ => delays.Next().TotalMilliseconds)];

        Assert.Equal([0, 20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000, 5000], taken);
    }

    [Fact]
    public void After_a_minute_of_peace_a_restart_is_at_once_again()
    {
        var delays = new RestartDelays(clock);
        for (var crash = 0; crash < 20; crash++) _ = delays.Next();

        clock.Advance(TimeSpan.FromSeconds(5) + TimeSpan.FromMinutes(1));

        Assert.Equal(TimeSpan.Zero, delays.Next());
    }
}
