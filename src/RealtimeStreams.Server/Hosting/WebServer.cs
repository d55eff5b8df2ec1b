namespace RealtimeStreams.Server.Hosting;

/// <summary>How connections are served.</summary>
internal static class WebServer
{
    // What a connection's unread body may take: four batches of 64 KiB, as many as are in flight at once.
    private const long MaxRequestBuffer = 4 * 64 * 1024;

    public static WebApplicationBuilder AddWebServer(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBufferSize = MaxRequestBuffer;
        });
        return builder;
    }
}
