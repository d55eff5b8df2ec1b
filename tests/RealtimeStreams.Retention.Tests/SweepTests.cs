using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.Retention.Abandoning;
using RealtimeStreams.Retention.Expiring;
using RealtimeStreams.Retention.Receipts;
using RealtimeStreams.Retention.Sweeping;
using RealtimeStreams.RunRegistry;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Retention.Tests;

public sealed class SweepTests : IAsyncLifetime
{
    private static readonly EnvironmentId environment = EnvironmentId.Parse("default");

    private static readonly Type[] sweepers = [typeof(Sweeper), typeof(AbandonmentSweeper), typeof(ExpirySweeper), typeof(ReceiptSweeper)];

    private readonly TempFolder folder = new("retention");
    private readonly SteppedClock clock = new();
    private readonly FailingObserver observer = new();
    private readonly FakeLogCollector logs = FakeLogCollector.Create(new FakeLogCollectorOptions());
    private Type kept = typeof(Sweeper);
    private IHost? host;

    private IRunRegistry Registry => host!.Services.GetRequiredService<IRunRegistry>();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task The_first_sweep_after_a_restart_finishes_what_broke_off()
    {
        await StartAsync();
        await BreakOffCompletionAsync("run");
        await clock.ForgetWaitAsync();
        await StopAsync();
        clock.Advance(TimeSpan.FromMinutes(1));
        observer.Fails = false;
        observer.Calls.Clear();

        await StartAsync();
        await clock.StepAsync();

        Assert.Equal(["completed run cancelled"], observer.Calls);
    }

    [Fact]
    public async Task An_erasure_that_broke_off_is_finished_in_both_passes()
    {
        await StartAsync();
        await RegisterAsync("run");
        observer.Fails = true;
        await Assert.ThrowsAsync<TimeoutException>(() => Registry.EraseAsync(environment, RunId.Parse("run"), Cancelled));
        observer.Fails = false;
        observer.Calls.Clear();

        // The first comes too early; the second is the first pass; the quarantine of a minute has passed at the fifth at the latest.
        for (var sweep = 0; sweep < 5; sweep++) await clock.StepAsync();

        Assert.Equal(["erasing run", "erasing run"], observer.Calls);
        await RegisterAsync("run");
    }

    [Fact]
    public async Task What_fails_again_is_tried_again()
    {
        await StartAsync();
        using var runs = new MetricCollector<long>(
            host!.Services.GetRequiredService<IMeterFactory>(), "RealtimeStreams.Retention", "realtimestreams.retention.sweep.runs");
        await BreakOffCompletionAsync("run");
        await clock.StepAsync(); // Too early.

        await clock.StepAsync();
        await clock.StepAsync();
        observer.Fails = false;
        await clock.StepAsync();
        await clock.StepAsync(); // Nothing is left.

        Assert.Equal(Enumerable.Repeat("completed run cancelled", 4), observer.Calls);
        Assert.Equal(["failed", "failed", "done"], runs.GetMeasurementSnapshot().Select(one => (string?)one.Tags["outcome"]));
    }

    [Fact]
    public async Task A_backlog_is_taken_up_in_bounded_pieces_one_soon_after_the_other()
    {
        await StartAsync(("RealtimeStreams:Sweep:MaxRuns", "2"));
        foreach (var run in (string[])["a", "b", "c", "d", "e"]) await BreakOffCompletionAsync(run);
        observer.Fails = false;
        observer.Calls.Clear();
        await clock.StepAsync(); // Too early.

        List<(bool Soon, int Calls)> sweeps = [];
        for (var i = 0; i < 4; i++) sweeps.Add((await clock.StepAsync() < TimeSpan.FromSeconds(3), observer.Calls.Count));

        Assert.Equal([(false, 2), (true, 4), (true, 5), (false, 5)], sweeps);
    }

    [Fact]
    public async Task Waits_are_spread_around_their_setting()
    {
        await StartAsync();
        Assert.InRange(await clock.StepAsync(), TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(2.5));

        List<TimeSpan> waits = [];
        for (var i = 0; i < 20; i++) waits.Add(await clock.StepAsync());

        Assert.All(waits, wait => Assert.InRange(wait, TimeSpan.FromSeconds(22.5), TimeSpan.FromSeconds(37.5)));
        Assert.True(waits.Distinct().Count() > 10, "The waits are all alike.");
    }

    [Fact]
    public async Task A_sweep_that_fails_is_logged_and_followed_by_the_next()
    {
        var registry = new BrokenRegistry();
        await StartAsync(registry);

        await clock.StepAsync();
        registry.Failure = new InvalidOperationException("A bug.");
        await clock.StepAsync();

        Assert.Equal([(1302, LogLevel.Warning), (1303, LogLevel.Error)], logs.GetSnapshot().Where(log => log.Id.Id is >= 1300 and < 1400)
            .Select(log => (log.Id.Id, log.Level)));
    }

    [Fact]
    public async Task Receipts_of_erasures_that_were_kept_for_long_enough_go_by_a_look_every_ten_minutes()
    {
        kept = typeof(ReceiptSweeper);
        await StartAsync();
        await RegisterAsync("run");
        var erasures = host!.Services.GetRequiredService<IErasures>();
        var id = (await erasures.EraseAsync(environment, RunId.Parse("run"), "key sk_test", TimeSpan.Zero, Cancelled))!.Id;
        await Until.TrueAsync(() => "It was not erased.", async () => await erasures.FindAsync(environment, id, Cancelled) is { ErasedAt: not null });

        Assert.InRange(await clock.StepAsync(), TimeSpan.FromMinutes(7.5), TimeSpan.FromMinutes(12.5));
        Assert.NotNull(await erasures.FindAsync(environment, id, Cancelled));
        await StopAsync(); // Days pass without a server: with one, the clock would take its beats one by one.
        await clock.ForgetWaitAsync();
        clock.Advance(IErasures.KeepReceipts);
        await StartAsync();
        await clock.StepAsync();

        Assert.Null(await host.Services.GetRequiredService<IErasures>().FindAsync(environment, id, Cancelled));
    }

    [Fact]
    public async Task A_wrong_setting_stops_the_start() =>
        await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(("RealtimeStreams:Sweep:MaxRuns", "0")));

    private Task StartAsync(params (string Key, string Value)[] settings) => StartAsync(null, settings);

    private async Task StartAsync(IRunRegistry? registry, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
            [new("RealtimeStreams:DataDirectory", folder.FullPath), .. settings.Select(one => new KeyValuePair<string, string?>(one.Key, one.Value))]);
        builder.Services.AddSingleton<TimeProvider>(clock);
        builder.Logging.AddProvider(new FakeLoggerProvider(logs));
        builder.AddRunRegistry();
        builder.AddRetention();
        foreach (var sweeper in sweepers.Where(sweeper => sweeper != kept))
            builder.Services.Remove(builder.Services.Single(service => service.ImplementationType == sweeper)); // The clock has one wait.
        builder.Services.AddSingleton<IRunObserver>(observer);
        if (registry is not null) builder.Services.AddSingleton(registry);
        host = builder.Build();
        await host.StartAsync(Cancelled);
    }

    private async Task StopAsync()
    {
        if (host is null) return;
        await host.StopAsync(CancellationToken.None);
        host.Dispose();
        host = null;
    }

    private async Task RegisterAsync(string id) => Assert.IsType<RegisterOutcome.Registered>(await Registry.RegisterAsync(
        environment, new RunRegistration(RunId.Parse(id), null, null, null, [], StreamsVersion.V2), Cancelled));

    private async Task BreakOffCompletionAsync(string id)
    {
        await RegisterAsync(id);
        observer.Fails = true;
        await Assert.ThrowsAsync<TimeoutException>(
            () => Registry.CompleteAsync(environment, RunId.Parse(id), Outcome.Cancelled, null, Cancelled));
    }
}
