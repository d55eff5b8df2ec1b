using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using RealtimeStreams.Http.Limiting;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Http;

/// <summary>Adds the limits that hold callers of all dialects.</summary>
public static class LimitsModule
{
    /// <summary>Adds <see cref="RequestLimits"/>, <see cref="Logins"/> and their options. Needs the registry. May be called by each dialect.</summary>
    public static IHostApplicationBuilder AddRequestLimits(this IHostApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<LimitsOptions>, LimitsOptionsValidator>());
        services.AddOptions<LimitsOptions>().BindConfiguration(LimitsOptions.Section).ValidateOnStart();
        services.TryAddSingleton<LimitTelemetry>();
        services.TryAddSingleton(provider => new RequestLimits(
            provider.GetRequiredService<IEnvironmentSettings>(),
            provider.GetRequiredService<IOptions<LimitsOptions>>(),
            provider.GetRequiredService<LimitTelemetry>(),
            provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(provider => new Logins(
            provider.GetRequiredService<ICredentials>(),
            provider.GetRequiredService<IOptions<LimitsOptions>>(),
            provider.GetRequiredService<LimitTelemetry>(),
            provider.GetRequiredService<TimeProvider>()));
        return builder;
    }
}
