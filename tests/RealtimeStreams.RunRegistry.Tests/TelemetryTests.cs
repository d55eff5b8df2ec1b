using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class TelemetryTests(SqliteDatabases databases) : RegistryContract(databases), IClassFixture<SqliteDatabases>
{
    private const string Name = "RealtimeStreams.RunRegistry";

    [Fact]
    public async Task The_database_is_measured_by_operation_and_a_remembered_yes_does_not_touch_it()
    {
        var node = await StartNodeAsync();
        using var durations = new MetricCollector<double>(
            node.Services.GetRequiredService<IMeterFactory>(), Name, "realtimestreams.runregistry.operation.duration");
        await RegisterAsync(node, Registration("run"));
        for (var i = 0; i < 3; i++) await node.Registry.AdmitAsync(Stream("run", "a"), Cancelled);

        var measured = durations.GetMeasurementSnapshot();

        Assert.Equal(["find", "count_open_runs", "register", "admit", "make_stream", "admit"], measured.Select(one => (string?)one.Tags["operation"]));
        Assert.All(measured, one => Assert.False(one.Tags.ContainsKey("error.type")));
        Assert.All(measured, one => Assert.DoesNotContain(one.Tags.Values, value => value is "run"));
    }

    [Fact]
    public async Task An_operation_is_a_span()
    {
        using var parent = new Activity("test").Start();
        List<string> spans = [];
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.TraceId == parent.TraceId) spans.Add(activity.OperationName);
            },
        };
        ActivitySource.AddActivityListener(listener);
        var node = await StartNodeAsync();

        await node.Registry.FindAsync(Environment, Id("run"), Cancelled);

        Assert.Equal(["registry find"], spans);
    }

    [Fact]
    public async Task An_announcement_that_fails_is_a_warning_and_the_run_ends_all_the_same()
    {
        var logs = FakeLogCollector.Create(new FakeLogCollectorOptions());
        var node = await StartNodeAsync(configure: services =>
        {
            services.AddLogging(logging => logging.AddProvider(new FakeLoggerProvider(logs)));
            services.AddSingleton<IRegistryAnnouncements, DeafAnnouncements>();
        });
        await RegisterAsync(node, Registration("run"));

        Assert.IsType<CompleteOutcome.Completed>(
            await node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Completed, null, Cancelled));

        Assert.Equal(LogLevel.Warning, Assert.Single(logs.GetSnapshot(), log => log.Id.Id == 1403).Level);
        Assert.Single(node.Observer.Calls);
    }

    [Fact]
    public async Task No_log_line_holds_a_secret_key()
    {
        var logs = FakeLogCollector.Create(new FakeLogCollectorOptions());
        var node = await StartNodeAsync(configure: services => services.AddLogging(
            logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new FakeLoggerProvider(logs))));
        var key = await node.Services.GetRequiredService<IDefaultSecretKey>().GetAsync(Cancelled);
        await node.Services.GetRequiredService<IEnvironments>().FindBySecretKeyAsync(key, Cancelled);

        Assert.NotEmpty(logs.GetSnapshot());
        Assert.DoesNotContain(logs.GetSnapshot(), log => log.Message.Contains(key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_issued_token_is_logged_by_its_id_and_not_as_it_is()
    {
        var logs = FakeLogCollector.Create(new FakeLogCollectorOptions());
        var node = await StartNodeAsync(configure: services => services.AddLogging(
            logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new FakeLoggerProvider(logs))));
        await node.Services.GetRequiredService<IDefaultSecretKey>().GetAsync(Cancelled);

        var issued = await node.Services.GetRequiredService<IAccessTokens>().IssueAsync(Environment, ["read:runs:a", "write:runs:b"], TimeSpan.FromMinutes(1), "a test", Cancelled);

        var line = Assert.Single(logs.GetSnapshot(), log => log.Id.Id == 1444);
        Assert.Equal(
            (LogLevel.Debug, $"The access token {issued.Id} of default was issued by a test, until {issued.ExpiresAt:O}, for read:runs:a, write:runs:b"),
            (line.Level, line.Message));
        Assert.DoesNotContain(logs.GetSnapshot(), log => log.Message.Contains(issued.Token, StringComparison.Ordinal));
    }

    private sealed class DeafAnnouncements : IRegistryAnnouncements
    {
        public ValueTask PublishAsync(RegistryChange change, CancellationToken cancellationToken) =>
            ValueTask.FromException(new TimeoutException("The broker is gone."));

        public IDisposable Subscribe(Action<RegistryChange> onChanged) => new MemoryStream();
    }
}
