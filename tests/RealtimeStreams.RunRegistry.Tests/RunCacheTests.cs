using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Admitting;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class RunCacheTests
{
    private static readonly EnvironmentId environment = EnvironmentId.Parse("default");

    private readonly FakeTimeProvider clock = new();

    [Fact]
    public void What_was_admitted_is_remembered_for_its_time()
    {
        var cache = Make(100);
        Admit(cache, "run", "a");

        clock.Advance(TimeSpan.FromSeconds(30) - TimeSpan.FromTicks(1));
        Assert.Equal(StreamsVersion.V1, cache.FindAdmitted(Stream("run", "a"))?.Version);
        Assert.Null(cache.FindAdmitted(Stream("run", "A")));
        clock.Advance(TimeSpan.FromTicks(1));
        Assert.Null(cache.FindAdmitted(Stream("run", "a")));
    }

    [Fact]
    public void What_is_learnt_while_a_run_changes_is_forgotten_with_it()
    {
        var cache = Make(100);
        var asked = cache.Open(environment, RunId.Parse("run")); // Now the database says yes …
        cache.Forget(environment, RunId.Parse("run")); // … then the run ends …
        Admit(cache, asked, "a"); // … and only then the yes arrives.

        Assert.Null(cache.FindAdmitted(Stream("run", "a")));
        Assert.NotSame(asked, cache.Open(environment, RunId.Parse("run")));
    }

    [Fact]
    public void Memory_is_bounded_and_what_is_used_stays()
    {
        var cache = Make(100);
        Admit(cache, "busy", "a");
        for (var i = 0; i < 1000; i++)
        {
            Admit(cache, $"run{i}", "a");
            Assert.NotNull(cache.FindAdmitted(Stream("busy", "a")));
        }

        var remembered = Enumerable.Range(0, 1000).Count(i => cache.FindAdmitted(Stream($"run{i}", "a")) is not null);
        Assert.InRange(remembered, 1, 100);
    }

    [Fact]
    public void One_run_with_a_great_many_streams_does_not_break_the_bound()
    {
        var cache = Make(100);
        for (var i = 0; i < 1000; i++) Admit(cache, "run", $"key{i}");

        Assert.InRange(Enumerable.Range(0, 1000).Count(i => cache.FindAdmitted(Stream("run", $"key{i}")) is not null), 1, 100);
    }

    [Fact]
    public void A_run_that_changed_is_forgotten_wherever_it_is_kept()
    {
        var cache = Make(100);
        Admit(cache, "run", "a");
        for (var i = 0; i < 26; i++) Admit(cache, $"run{i}", "a"); // The run is in the older generation now.

        cache.Forget(environment, RunId.Parse("run"));

        Assert.Null(cache.FindAdmitted(Stream("run", "a")));
    }

    [Fact]
    public void A_remembered_yes_allocates_nothing()
    {
        var cache = Make(100);
        var stream = Stream("run", "a");
        Admit(cache, "run", "a");
        for (var i = 0; i < 1000; i++) cache.FindAdmitted(stream); // Warm.

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) cache.FindAdmitted(stream);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private RunCache Make(int streams) =>
        new(Options.Create(new RunRegistryOptions { CachedStreams = streams }), clock);

    private static void Admit(RunCache cache, string run, string key) =>
        Admit(cache, cache.Open(environment, RunId.Parse(run)), key);

    private static void Admit(RunCache cache, RunMemory memory, string key)
    {
        memory.Keep(new StreamAdmission.Admitted(StreamsVersion.V1));
        cache.Admit(memory, StreamKey.Parse(key));
    }

    private static StreamAddress Stream(string run, string key) => new(environment, RunId.Parse(run), StreamKey.Parse(key));
}
