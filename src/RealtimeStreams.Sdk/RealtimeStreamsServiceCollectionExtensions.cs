using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.Sdk.Http;

namespace RealtimeStreams.Sdk;

/// <summary>Adds the client to dependency injection.</summary>
public static class RealtimeStreamsServiceCollectionExtensions
{
    /// <summary>The name of the client's <see cref="HttpClient"/>, for example to add handlers to it.</summary>
    public const string HttpClientName = "RealtimeStreams";

    /// <summary>Adds a singleton <see cref="IRealtimeStreamsClient"/>, with options from the configuration's section
    /// <see cref="RealtimeStreamsClientOptions.Section"/> and then from <paramref name="configure"/>. Wrong options stop the start of a host.</summary>
    public static IServiceCollection AddRealtimeStreams(
        this IServiceCollection services, Action<RealtimeStreamsClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<RealtimeStreamsClientOptions>, ClientSettings>(
            provider => new ClientSettings(provider.GetService<IConfiguration>())));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RealtimeStreamsClientOptions>, ClientSettings>(
            _ => new ClientSettings()));
        var options = services.AddOptions<RealtimeStreamsClientOptions>().ValidateOnStart();
        if (configure is not null) options.Configure(configure);

        services.AddHttpClient(HttpClientName)
            .ConfigurePrimaryHttpMessageHandler(HttpDefaults.CreateHandler)
            .ConfigureHttpClient(http => http.Timeout = Timeout.InfiniteTimeSpan)
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan) // The pool below renews its connections itself; the client lives as long as the process.
            .RemoveAllLoggers() // At Trace they hand the headers with the key, unredacted, to structured logs. The client logs by itself.
            .Services.Configure<HttpClientFactoryOptions>(HttpClientName, factory => factory.HttpMessageHandlerBuilderActions.Add(RemoveForeignRetries));
        services.TryAddSingleton<IRealtimeStreamsClient>(provider => new RealtimeStreamsClient(
            provider.GetRequiredService<IOptions<RealtimeStreamsClientOptions>>().Value,
            provider.GetRequiredService<IHttpClientFactory>().CreateClient(HttpClientName),
            provider.GetService<ILoggerFactory>(),
            provider.GetService<TimeProvider>(),
            provider.GetService<IMeterFactory>()));
        return services;
    }

    /// <summary>A host's standard resilience handler would give up a read that waits for its first chunk, and multiply this client's own retries.</summary>
    private static void RemoveForeignRetries(HttpMessageHandlerBuilder builder)
    {
        for (var i = builder.AdditionalHandlers.Count - 1; i >= 0; i--)
        {
            if (builder.AdditionalHandlers[i].GetType().FullName == "Microsoft.Extensions.Http.Resilience.ResilienceHandler")
                builder.AdditionalHandlers.RemoveAt(i);
        }
    }
}
