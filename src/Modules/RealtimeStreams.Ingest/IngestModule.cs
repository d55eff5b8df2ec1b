using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using RealtimeStreams.Ingest.Appending;
using RealtimeStreams.Ingest.Closing;
using RealtimeStreams.Ingest.Leasing;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest;

/// <summary>Adds the module.</summary>
public static class IngestModule
{
    /// <summary>Adds <see cref="IAppender"/>, <see cref="IOpenWriters"/>, and the observer that ends or erases a run's streams with the run.</summary>
    public static IHostApplicationBuilder AddIngest(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IngestTelemetry>();
        builder.Services.AddSingleton<LimitedLog>();
        builder.Services.AddSingleton<IAppender, Appender>();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<OpenWriters>();
        builder.Services.AddSingleton<IOpenWriters>(services => services.GetRequiredService<OpenWriters>());
        builder.Services.AddHostedService(services => services.GetRequiredService<OpenWriters>());
        builder.Services.AddSingleton<IRunObserver, RunStreams>();
        return builder;
    }
}
