using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using RealtimeStreams.ChunkLog.Announcing;

namespace RealtimeStreams.ChunkLog;

/// <summary>Adds the log to a host.</summary>
public static class ChunkLogModule
{
    /// <summary>The name of the log's health check.</summary>
    public const string HealthCheck = "log";

    /// <summary>Adds <see cref="IChunkLog"/> and <see cref="INodeMessages"/> on JetStream. The host also registers an <see cref="IBrokerLocation"/>.</summary>
    public static IHostApplicationBuilder AddChunkLog(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IValidateOptions<ChunkLogOptions>, ChunkLogOptionsValidator>();
        builder.Services.AddOptions<ChunkLogOptions>().BindConfiguration(ChunkLogOptions.Section).ValidateOnStart();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<LogTelemetry>();
        builder.Services.AddSingleton<NodeMessages>();
        builder.Services.AddSingleton<INodeMessages>(services => services.GetRequiredService<NodeMessages>());
        builder.Services.AddSingleton<JetStreamChunkLog>();
        builder.Services.AddSingleton<IChunkLog>(services => services.GetRequiredService<JetStreamChunkLog>());
        builder.Services.AddHostedService(services => services.GetRequiredService<JetStreamChunkLog>());
        builder.Services.AddHealthChecks().AddCheck<LogHealthCheck>(HealthCheck, tags: ["ready"]);
        return builder;
    }
}
