using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Http.Limiting;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Http.Tests;

public sealed class RequestLimitsTests : IDisposable
{
    private static readonly EnvironmentId Tenant = EnvironmentId.Parse("tenant");

    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider clock = new();
    private readonly KnownSettings settings = new();

    public void Dispose() => services.Dispose();

    [Fact]
    public void A_request_has_one_place_which_moves_with_it_and_is_free_at_its_end_however_often_that_is_said()
    {
        var limits = Limits(new LimitsOptions { ConcurrentRequests = 1, Readers = 1, OpenBodies = 1 });
        var first = new DefaultHttpContext();
        Assert.Null(limits.Admit(first, Tenant, null));
        Assert.Equal("concurrentRequests", limits.Admit(new DefaultHttpContext(), Tenant, null)?.Limit);

        Assert.Null(limits.BecomeReader(first));
        Assert.Null(limits.BecomeReader(first));
        var second = new DefaultHttpContext();
        Assert.Null(limits.Admit(second, Tenant, null));
        Assert.Equal("readers", limits.BecomeReader(second)?.Limit);
        Assert.Equal("1", second.Response.Headers.RetryAfter);
        Assert.Null(limits.BecomeOpenBody(second));

        RequestLimits.Release(first);
        RequestLimits.Release(first);
        var third = new DefaultHttpContext();
        Assert.Null(limits.Admit(third, Tenant, null));
        Assert.Null(limits.BecomeReader(third));
        var fourth = new DefaultHttpContext();
        Assert.Null(limits.Admit(fourth, Tenant, null));
        Assert.NotNull(limits.BecomeReader(fourth)); // Not two places for one.
        Assert.NotNull(limits.BecomeOpenBody(fourth));
    }

    [Fact]
    public void What_an_operator_sets_counts_at_once_and_for_those_who_are_there_already()
    {
        var limits = Limits(new LimitsOptions());
        var open = new List<HttpContext>();
        for (var i = 0; i < 5; i++)
        {
            open.Add(new DefaultHttpContext());
            Assert.Null(limits.Admit(open[i], Tenant, null));
            Assert.Null(limits.BecomeReader(open[i]));
        }

        settings.Value = new EnvironmentSettings { Readers = 5, RequestsPerSecond = 1, RequestBurst = 2 };

        var next = new DefaultHttpContext();
        Assert.Null(limits.Admit(next, Tenant, null));
        Assert.Equal(5, limits.BecomeReader(next)?.Value); // Five are there, and none of them is cut off.
        Assert.Null(limits.Admit(new DefaultHttpContext(), Tenant, null));
        Assert.Equal(1, limits.Admit(new DefaultHttpContext(), Tenant, null)?.Value);
        settings.Value = EnvironmentSettings.None;
        Assert.Null(limits.Admit(new DefaultHttpContext(), Tenant, null));
    }

    [Fact]
    public void Letting_a_request_in_allocates_little_and_takes_microseconds()
    {
        var limits = Limits(new LimitsOptions { RequestBurst = 1_000_000, RequestsPerSecond = 1_000_000, TokenRequestBurst = 1_000_000, TokenRequestsPerSecond = 1_000_000 });
        var context = new DefaultHttpContext();
        var token = $"e30.e30.{new string('A', 43)}";
        Serve(100);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var since = TimeProvider.System.GetTimestamp();
        Serve(10_000);
        var each = TimeProvider.System.GetElapsedTime(since).TotalMicroseconds / 10_000;
        var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / 10_000;

        TestContext.Current.TestOutputHelper?.WriteLine($"{bytes} bytes and {each:0.00} µs a request.");
        Assert.InRange(bytes, 0, 64);

        void Serve(int count)
        {
            for (var i = 0; i < count; i++)
            {
                Assert.Null(limits.Admit(context, Tenant, token));
                RequestLimits.Release(context);
            }
        }
    }

    [Fact]
    public void Refusals_are_counted_by_limit_and_by_nothing_that_has_many_values()
    {
        using var counted = new MetricCollector<long>(services.GetRequiredService<IMeterFactory>(), "RealtimeStreams.Http", "realtimestreams.http.limits.refused");
        var limits = Limits(new LimitsOptions { RequestBurst = 1, RequestsPerSecond = 1 });
        Assert.Null(limits.Admit(new DefaultHttpContext(), Tenant, null));
        Assert.NotNull(limits.Admit(new DefaultHttpContext(), Tenant, null));

        var one = Assert.Single(counted.GetMeasurementSnapshot());
        Assert.Equal([new("limit", "requestsPerSecond")], one.Tags);
    }

    [Fact]
    public void Callers_are_counted_by_themselves_as_long_as_they_are_there_and_no_more_than_allowed()
    {
        var loads = new CallerLoads<int>(100, clock);
        var busy = loads.Get(0);
        Assert.True(busy.Readers.TryTake(1));
        for (var i = 1; i < 100; i++) Assert.NotSame(busy, loads.Get(i));
        Assert.Equal(100, loads.Count);
        Assert.Same(loads.Get(1000), loads.Get(1001)); // Those beyond share one.
        Assert.Same(busy, loads.Get(0));

        clock.Advance(TimeSpan.FromSeconds(30));
        loads.Get(2000);

        Assert.Equal(2, loads.Count); // The busy one and the new one.
        Assert.Same(busy, loads.Get(0));
        Assert.NotSame(loads.Get(1000), loads.Get(1001));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(200)]
    [InlineData(20_000)]
    public void A_bucket_gives_its_burst_at_once_and_then_says_how_long_to_wait(int perSecond)
    {
        var bucket = new Bucket(perSecond, 10);
        var since = TimeProvider.System.GetTimestamp();
        var taken = 0;
        var wait = TimeSpan.Zero;
        while (taken < 100_000 && bucket.TryTake(out wait)) taken++;

        Assert.InRange(taken, 10, 11 + perSecond * TimeProvider.System.GetElapsedTime(since).TotalSeconds);
        Assert.InRange(wait.TotalSeconds, 0, 1.0 / Math.Min(perSecond, 20) + 0.001);
    }

    [Fact]
    public void Tokens_and_addresses_are_told_apart_and_the_addresses_of_one_network_are_not()
    {
        var first = Callers.MarkOf($"a.b.{new string('A', 43)}");
        Assert.NotEqual(first, Callers.MarkOf($"a.b.{new string('B', 43)}"));
        Assert.Equal(first, Callers.MarkOf($"a.b.{new string('A', 43)}"));
        Assert.Equal(default, Callers.MarkOf("short"));

        Assert.NotEqual(Of("192.0.2.1"), Of("192.0.2.2"));
        Assert.Equal(Of("192.0.2.1"), Of("::ffff:192.0.2.1"));
        Assert.Equal(Of("2001:db8:1:2::3"), Of("2001:db8:1:2:ffff::1"));
        Assert.NotEqual(Of("2001:db8:1:2::3"), Of("2001:db8:1:3::3"));

        static UInt128 Of(string address) => Callers.MarkOf(IPAddress.Parse(address));
    }

    private RequestLimits Limits(LimitsOptions options) =>
        new(settings, Options.Create(options), new LimitTelemetry(services.GetRequiredService<IMeterFactory>()), clock);

    private sealed class KnownSettings : IEnvironmentSettings
    {
        public EnvironmentSettings Value { get; set; } = EnvironmentSettings.None;

        public IReadOnlyList<EnvironmentSetting> All => [];

        public EnvironmentSettings Find(EnvironmentId environment) => Value;

        public Task<EnvironmentSettingsOutcome> ChangeAsync(
            EnvironmentId environment, IReadOnlyDictionary<string, long?> changes, string by, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
