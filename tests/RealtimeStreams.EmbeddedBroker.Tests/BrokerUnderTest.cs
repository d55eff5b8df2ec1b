using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace RealtimeStreams.EmbeddedBroker.Tests;

/// <summary>A host with an embedded broker, its data in a given folder.</summary>
internal sealed class BrokerUnderTest : IAsyncDisposable
{
    private readonly IHost host;

    private BrokerUnderTest(IHost host) => this.host = host;

    public IEmbeddedBroker Broker => host.Services.GetRequiredService<IEmbeddedBroker>();

    public FakeLogCollector Log => host.Services.GetFakeLogCollector();

    public static async Task<BrokerUnderTest> StartAsync(string dataDirectory, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddEnvironmentVariables(); // RealtimeStreams__NatsServerPath, where somebody set it.
        builder.Configuration.AddInMemoryCollection(
            settings.Append((Key: "RealtimeStreams:DataDirectory", Value: dataDirectory))
                .Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value)));
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddFakeLogging();
        builder.AddEmbeddedBroker();
        var host = builder.Build();
        try
        {
            await host.StartAsync(TestContext.Current.CancellationToken);
            return new BrokerUnderTest(host);
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    public Task StopAsync() => host.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync() => await ((IAsyncDisposable)host).DisposeAsync();
}
