using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using RealtimeStreams.Retention.Abandoning;
using RealtimeStreams.Retention.Expiring;
using RealtimeStreams.Retention.Receipts;
using RealtimeStreams.Retention.Sweeping;

namespace RealtimeStreams.Retention;

/// <summary>Adds the module.</summary>
public static class RetentionModule
{
    /// <summary>Adds the sweep that finishes what crashes and failures cut off, the one that closes abandoned streams, the one that expires chunks, and the one that removes old receipts. Every server may have them.</summary>
    public static IHostApplicationBuilder AddRetention(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<IValidateOptions<SweepOptions>, SweepOptionsValidator>();
        services.AddOptions<SweepOptions>().BindConfiguration(SweepOptions.Section).ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<RetentionTelemetry>();
        services.AddHostedService<Sweeper>();
        services.AddSingleton<Abandonment>();
        services.AddHostedService<AbandonmentSweeper>();
        services.AddSingleton<Expiration>();
        services.AddHostedService<ExpirySweeper>();
        services.AddHostedService<ReceiptSweeper>();
        return builder;
    }
}
