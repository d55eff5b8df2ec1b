using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Counting;
using RealtimeStreams.RunRegistry.Storing;
using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

/// <summary>A database that goes away and comes back.</summary>
public sealed class AvailabilityTests : IAsyncLifetime
{
    private readonly TempFolder folder = new("registry");
    private TestPostgres? server;
    private TestNode? node;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(TestPostgres.IsPresent, TestPostgres.MissingReason);
        server = await TestPostgres.StartAsync(Cancelled);
    }

    public async ValueTask DisposeAsync()
    {
        if (node is not null) await node.DisposeAsync();
        if (server is not null) await server.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task While_the_database_is_gone_calls_say_so_and_what_is_remembered_is_still_admitted()
    {
        node = await TestNode.StartAsync(await SettingsAsync());
        var stream = new StreamAddress(TestNode.Environment, RunId.Parse("run"), StreamKey.Default);
        await RegisterAsync("run");
        await node.Registry.AdmitAsync(stream, Cancelled);

        await server!.StopAsync();

        await Assert.ThrowsAsync<RegistryUnavailableException>(() => RegisterAsync("other"));
        await Assert.ThrowsAsync<RegistryUnavailableException>(() => node.Registry.FindAsync(TestNode.Environment, RunId.Parse("run"), Cancelled));
        Assert.IsType<StreamAdmission.Admitted>(await node.Registry.AdmitAsync(stream, Cancelled));
        Assert.Equal(HealthStatus.Unhealthy, await HealthAsync());

        await server.StartAgainAsync(Cancelled);

        Assert.IsType<RegisterOutcome.Registered>(await RegisterAsync("other"));
        Assert.Equal(HealthStatus.Healthy, await HealthAsync());
    }

    [Fact]
    public async Task Bytes_that_were_stored_while_the_database_was_gone_are_told_when_it_is_back()
    {
        node = await TestNode.StartAsync(await SettingsAsync(), new FakeTimeProvider());
        var stream = new StreamAddress(TestNode.Environment, RunId.Parse("run"), StreamKey.Default);
        await RegisterAsync("run");
        var usage = Assert.IsType<StreamAdmission.Admitted>(await node.Registry.AdmitAsync(stream, Cancelled)).Usage!;
        var reports = node.Services.GetRequiredService<UsageReports>();
        await server!.StopAsync();

        usage.Take(5);
        usage.Settle(5, 5);
        for (var i = 0; i < 2; i++) await Assert.ThrowsAsync<RegistryUnavailableException>(() => reports.TellAsync(all: true, Cancelled));
        Assert.Equal(5, usage.Bytes);
        await server.StartAgainAsync(Cancelled);
        await reports.TellAsync(all: true, Cancelled);

        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();
        Assert.Equal(5, await context.LivingRuns.Where(row => row.Id == "run").Select(row => row.Bytes).SingleAsync(Cancelled));
    }

    [Fact]
    public async Task A_server_that_starts_before_its_database_sets_it_up_when_it_comes()
    {
        var settings = await SettingsAsync();
        await server!.StopAsync();
        var clock = new FakeTimeProvider();

        node = await TestNode.StartAsync(settings, clock);
        await Assert.ThrowsAsync<RegistryUnavailableException>(() => RegisterAsync("run"));
        Assert.Equal(HealthStatus.Unhealthy, await HealthAsync());

        await server.StartAgainAsync(Cancelled);
        var ready = node.Services.GetRequiredService<IDefaultSecretKey>().GetAsync(Cancelled);
        while (!ready.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(2)); // The wait between two tries, as soon as it is there.
            await Task.WhenAny(ready, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancelled));
            Cancelled.ThrowIfCancellationRequested();
        }

        Assert.Equal(HealthStatus.Healthy, await HealthAsync());
        Assert.IsType<RegisterOutcome.Registered>(await RegisterAsync("run"));
    }

    private async Task<Dictionary<string, string?>> SettingsAsync() => new()
    {
        ["RealtimeStreams:DataDirectory"] = folder.FullPath,
        ["RealtimeStreams:RunRegistry:CommandTimeout"] = "00:01:00", // A busy machine is no failure; one that nobody serves refuses at once.
        ["ConnectionStrings:registry"] = await server!.CreateDatabaseAsync(Cancelled),
    };

    private Task<RegisterOutcome> RegisterAsync(string id) => node!.Registry.RegisterAsync(
        TestNode.Environment, new RunRegistration(RunId.Parse(id), null, null, null, [], StreamsVersion.V2), Cancelled);

    private async Task<HealthStatus> HealthAsync() =>
        (await node!.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancelled)).Status;
}
