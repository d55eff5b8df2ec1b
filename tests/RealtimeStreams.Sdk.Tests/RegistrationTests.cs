using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk.Tests;

public sealed class RegistrationTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void Options_come_from_the_configuration_and_then_from_code()
    {
        using var provider = Build(
            new()
            {
                ["RealtimeStreams:Client:BaseAddress"] = "https://streams.example/prefix",
                ["RealtimeStreams:Client:SecretKey"] = "from-configuration",
                ["RealtimeStreams:Client:StreamsVersion"] = "v1",
                ["RealtimeStreams:Client:MaxBufferedBytes"] = "65536",
                ["RealtimeStreams:Client:MaxBufferedChunks"] = "7",
                ["RealtimeStreams:Client:RequestTimeout"] = "00:00:10",
                ["RealtimeStreams:Client:ReadSilence"] = "00:01:00",
                ["RealtimeStreams:Client:MinBackoff"] = "00:00:00.050",
                ["RealtimeStreams:Client:MaxBackoff"] = "00:00:02",
                ["RealtimeStreams:Client:GiveUpAfter"] = "-00:00:00.001",
            },
            options => options.SecretKey = "from-code");

        var options = provider.GetRequiredService<IOptions<RealtimeStreamsClientOptions>>().Value;

        Assert.Equal(new Uri("https://streams.example/prefix"), options.BaseAddress);
        Assert.Equal("from-code", options.SecretKey);
        Assert.Equal(StreamsVersion.V1, options.StreamsVersion);
        Assert.Equal((65536, 7), (options.MaxBufferedBytes, options.MaxBufferedChunks));
        Assert.Equal(
            [TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(2), Timeout.InfiniteTimeSpan],
            [options.RequestTimeout, options.ReadSilence, options.MinBackoff, options.MaxBackoff, options.GiveUpAfter]);
        Assert.NotNull(provider.GetRequiredService<IRealtimeStreamsClient>());
    }

    [Theory]
    [InlineData("BaseAddress", "ftp://x")]
    [InlineData("BaseAddress", "https://x/?q=1")]
    [InlineData("SecretKey", "with space")]
    [InlineData("MaxBufferedBytes", "1")]
    [InlineData("MaxBufferedChunks", "0")]
    [InlineData("RequestTimeout", "00:00:00")]
    [InlineData("ReadSilence", "1.00:00:00")]
    [InlineData("MinBackoff", "00:02:00")]
    [InlineData("MaxBackoff", "00:00:00.001")]
    [InlineData("GiveUpAfter", "2.00:00:00")]
    public async Task A_wrong_option_stops_the_start_and_is_named(string option, string value)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["RealtimeStreams:Client:BaseAddress"] = "http://x",
            ["RealtimeStreams:Client:SecretKey"] = "k",
            [$"RealtimeStreams:Client:{option}"] = value,
        });
        builder.Services.AddRealtimeStreams();
        using var host = builder.Build();

        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Cancelled));
        Assert.Contains($"RealtimeStreams:Client:{option} must", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("BaseAddress", "not an address")]
    [InlineData("MaxBufferedChunks", "many")]
    [InlineData("StreamsVersion", "v3")]
    public void A_setting_that_cannot_be_read_is_named(string option, string value)
    {
        using var provider = Build(new() { [$"RealtimeStreams:Client:{option}"] = value });

        var fault = Assert.Throws<InvalidOperationException>(() => provider.GetRequiredService<IOptions<RealtimeStreamsClientOptions>>().Value);
        Assert.Contains($"RealtimeStreams:Client:{option} cannot be read", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_made_directly_checks_its_options_too() =>
        Assert.Throws<OptionsValidationException>(() => new RealtimeStreamsClient(new RealtimeStreamsClientOptions()));

    [Fact]
    public async Task A_hosts_resilience_handler_does_not_retry_beside_the_client()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.AppendFaults.Enqueue((context, _) => ScriptedServer.RefuseAsync(context, ErrorCode.LogUnavailable));
        using var provider = Build([], options =>
        {
            options.BaseAddress = server.Address;
            options.SecretKey = "test-key";
            options.GiveUpAfter = TimeSpan.Zero;
        });

        await Assert.ThrowsAsync<RealtimeStreamsException>(
            () => provider.GetRequiredService<IRealtimeStreamsClient>().Streams.AppendAsync("k", 1, new AppendOptions { Target = "r" }, Cancelled));

        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task The_key_goes_into_its_header_and_neither_it_nor_a_chunk_into_a_log()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.AppendFaults.Enqueue((context, _) => ScriptedServer.RefuseAsync(context, ErrorCode.LogUnavailable));
        server.AppendFaults.Enqueue((_, store) => store());
        server.AppendFaults.Enqueue((context, _) => ScriptedServer.RefuseAsync(context, ErrorCode.StreamFull));
        using var provider = Build([], options =>
        {
            options.BaseAddress = server.Address;
            options.SecretKey = "top-secret";
            options.MinBackoff = options.MaxBackoff = TimeSpan.FromMilliseconds(1);
        });
        var client = provider.GetRequiredService<IRealtimeStreamsClient>();

        await client.Streams.AppendAsync("k", "private words", new AppendOptions { Target = "r" }, Cancelled);
        await Assert.ThrowsAsync<RealtimeStreamsException>(
            () => client.Streams.Pipe("k", AsyncEnumerable.Repeat("private words", 3), new PipeOptions { Target = "r" }, Cancelled).Completion);

        Assert.All(server.Credentials, credential => Assert.Equal("Bearer top-secret", credential));
        var logged = provider.GetFakeLogCollector().GetSnapshot();
        Assert.Contains(logged, record => record.Id.Id == 3002 && record.Level == LogLevel.Warning);
        Assert.Contains(logged, record => record.Id.Id == 3004 && record.Level == LogLevel.Error);
        Assert.All(logged, record =>
        {
            var text = $"{record.Message} {record.Exception} {string.Join(' ', record.StructuredState ?? [])}";
            Assert.DoesNotContain("top-secret", text, StringComparison.Ordinal);
            Assert.DoesNotContain("private words", text, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Acknowledged_chunks_duplicates_and_retries_are_counted()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.AppendFaults.Enqueue(async (context, store) =>
        {
            context.Response.Body = Stream.Null;
            await store();
            context.Abort();
        });
        using var provider = Build([], options =>
        {
            options.BaseAddress = server.Address;
            options.SecretKey = "k";
            options.MinBackoff = options.MaxBackoff = TimeSpan.FromMilliseconds(1);
        });
        var meters = provider.GetRequiredService<IMeterFactory>();
        using var acknowledged = new MetricCollector<long>(meters, "RealtimeStreams.Sdk", "realtimestreams.sdk.chunks.acknowledged");
        using var duplicates = new MetricCollector<long>(meters, "RealtimeStreams.Sdk", "realtimestreams.sdk.chunks.duplicate");
        using var retries = new MetricCollector<long>(meters, "RealtimeStreams.Sdk", "realtimestreams.sdk.retries");

        await provider.GetRequiredService<IRealtimeStreamsClient>()
            .Streams.Pipe("k", AsyncEnumerable.Repeat("x", 3), new PipeOptions { Target = "r" }, Cancelled).Completion;

        Assert.Equal(3, acknowledged.GetMeasurementSnapshot().Sum(measured => measured.Value));
        Assert.InRange(duplicates.GetMeasurementSnapshot().Sum(measured => measured.Value), 1, 3);
        Assert.Equal(1, retries.GetMeasurementSnapshot().Sum(measured => measured.Value));
    }

    private static ServiceProvider Build(Dictionary<string, string?> configuration, Action<RealtimeStreamsClientOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(configuration).Build());
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddFakeLogging());
        services.ConfigureHttpClientDefaults(http => http.AddStandardResilienceHandler());
        services.AddRealtimeStreams(configure);
        return services.BuildServiceProvider();
    }
}
