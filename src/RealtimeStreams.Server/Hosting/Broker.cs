using Microsoft.Extensions.Diagnostics.HealthChecks;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.EmbeddedBroker;

namespace RealtimeStreams.Server.Hosting;

/// <summary>The broker: the one that the connection string <c>nats</c> names, else one of our own.</summary>
internal static class Broker
{
    private const string ConnectionString = "nats";
    private const string HealthCheck = "broker";

    public static WebApplicationBuilder AddBroker(this WebApplicationBuilder builder)
    {
        if (builder.Configuration.GetConnectionString(ConnectionString) is { Length: > 0 } url)
        {
            builder.Services.AddSingleton<IBrokerLocation>(new GivenBroker(url));
            builder.Services.AddHealthChecks()
                .AddCheck(HealthCheck, () => HealthCheckResult.Healthy("Given by the connection string; the log says whether it answers."), ["ready"]);
            return builder;
        }
        builder.AddEmbeddedBroker();
        builder.Services.AddSingleton<IBrokerLocation, OwnBroker>();
        builder.Services.AddHealthChecks().AddCheck<OwnBrokerCheck>(HealthCheck, tags: ["ready"]);
        return builder;
    }

    private sealed class GivenBroker(string url) : IBrokerLocation
    {
        public ValueTask<BrokerLocation> GetAsync(CancellationToken cancellationToken) => ValueTask.FromResult(new BrokerLocation(url, Monitoring: null));
    }

    private sealed class OwnBroker(IEmbeddedBroker broker) : IBrokerLocation
    {
        public async ValueTask<BrokerLocation> GetAsync(CancellationToken cancellationToken)
        {
            var address = await broker.GetAddressAsync(cancellationToken);
            return new BrokerLocation(address.Url, address.Monitoring);
        }
    }

    private sealed class OwnBrokerCheck(IEmbeddedBroker broker) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(broker.ProcessId is { } process
                ? HealthCheckResult.Healthy("The embedded broker runs.", new Dictionary<string, object> { ["process"] = process })
                : new HealthCheckResult(context.Registration.FailureStatus, "The embedded broker is not running; it is started again."));
    }
}
