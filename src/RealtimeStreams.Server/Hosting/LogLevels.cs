using Microsoft.Extensions.Configuration.Memory;

namespace RealtimeStreams.Server.Hosting;

/// <summary>How much is logged when nobody says otherwise: of others' code only what needs attention, and nothing a request.</summary>
internal static class LogLevels
{
    public static WebApplicationBuilder AddLogLevels(this WebApplicationBuilder builder)
    {
        // First, and so overruled by every other source. Not a file, because the server may be started in any working directory.
        ((IConfigurationBuilder)builder.Configuration).Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData =
            [
                new("Logging:LogLevel:Default", "Information"),
                new("Logging:LogLevel:Microsoft", "Warning"),
                new("Logging:LogLevel:Microsoft.Hosting.Lifetime", "Information"),
                new("Logging:LogLevel:NATS", "Warning"),
                new("Logging:LogLevel:Npgsql", "Warning"),
                new("Logging:LogLevel:Polly", "Warning"),
                new("Logging:LogLevel:System.Net.Http", "Warning"),
            ],
        });
        return builder;
    }
}
