using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

using RealtimeStreams.EmbeddedBroker.Running;

namespace RealtimeStreams.EmbeddedBroker;

/// <summary>Adds the embedded broker to a host.</summary>
public static class EmbeddedBrokerModule
{
    /// <summary>
    /// Adds <see cref="IEmbeddedBroker"/>, which runs with the host. For a host that was given no broker: with a connection string, do not call it,
    /// and nothing of it is there.
    /// </summary>
    public static IHostApplicationBuilder AddEmbeddedBroker(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IValidateOptions<EmbeddedBrokerOptions>, EmbeddedBrokerOptionsValidator>();
        builder.Services.AddOptions<EmbeddedBrokerOptions>().BindConfiguration(EmbeddedBrokerOptions.Section).ValidateOnStart();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<NatsServerLocator>();
        builder.Services.AddSingleton<SupervisedBroker>();
        builder.Services.AddSingleton<IEmbeddedBroker>(services => services.GetRequiredService<SupervisedBroker>());
        builder.Services.AddHostedService(services => services.GetRequiredService<SupervisedBroker>());
        return builder;
    }
}
