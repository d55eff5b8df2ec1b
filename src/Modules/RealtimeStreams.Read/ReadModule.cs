using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using RealtimeStreams.Read.Following;

namespace RealtimeStreams.Read;

/// <summary>Adds reading to a host.</summary>
public static class ReadModule
{
    /// <summary>Adds <see cref="IStreamReads"/>. Needs the log and the registry.</summary>
    public static IHostApplicationBuilder AddRead(this IHostApplicationBuilder builder)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<ReadTelemetry>();
        builder.Services.AddSingleton<IStreamReads, StreamReads>();
        return builder;
    }
}
