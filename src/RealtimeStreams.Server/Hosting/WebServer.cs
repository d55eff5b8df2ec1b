using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using RealtimeStreams.Http;

namespace RealtimeStreams.Server.Hosting;

/// <summary>How connections are served.</summary>
internal static class WebServer
{
    // What a connection's unread body may take over HTTP/1.1: four batches of 64 KiB, as many as are in flight at once.
    private const long MaxRequestBuffer = 4 * 64 * 1024;

    // HTTP/2 carries append sessions: a batch of 1 MiB fits in a stream's window, and a stream that is not read (its batches wait for the log) leaves
    // room for others in the connection's.
    private const int StreamWindow = 1024 * 1024;
    private const int ConnectionWindow = 8 * StreamWindow;

    // Clients open up to 100 at once; those that have just ended still count for a moment.
    private const int MaxStreams = 200;

    // A session that says nothing for hours is well, a connection that does not even answer this is not. Clients that are busy computing answer late.
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(60);

    public static WebApplicationBuilder AddWebServer(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBufferSize = MaxRequestBuffer;
            kestrel.Limits.Http2.InitialStreamWindowSize = StreamWindow;
            kestrel.Limits.Http2.InitialConnectionWindowSize = ConnectionWindow;
            kestrel.Limits.Http2.MaxStreamsPerConnection = MaxStreams;
            kestrel.Limits.Http2.KeepAlivePingDelay = PingDelay;
            kestrel.Limits.Http2.KeepAlivePingTimeout = PingTimeout;
            // Over HTTP/2 a rate is the connection's, so that one reader who pauses would end everybody's streams on it. Readers cost no memory while they pause.
            kestrel.Limits.MinResponseDataRate = null;
            Http2Preface.UseOn(kestrel);
        });
        builder.Services.AddOptions<KestrelServerOptions>().Configure<IOptions<LimitsOptions>>((kestrel, options) =>
        {
            var limits = options.Value;
            kestrel.Limits.MaxRequestBodySize = limits.MaxBodyBytes;
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(limits.MinBodyBytesPerSecond, limits.BodyGrace);
            kestrel.Limits.RequestHeadersTimeout = limits.HeadersTimeout;
            kestrel.Limits.MaxRequestHeadersTotalSize = limits.MaxHeaderBytes;
            kestrel.Limits.MaxRequestHeaderCount = limits.MaxHeaders;
            kestrel.Limits.MaxRequestLineSize = limits.MaxRequestLineBytes;
            // Twice, as the web server has it for all headers together: up to there it is 431 for the request, beyond it the end of the connection and all that is on it.
            kestrel.Limits.Http2.MaxRequestHeaderFieldSize = 2 * limits.MaxHeaderBytes;
        });
        builder.WebHost.UseSockets(sockets => sockets.CreateBoundListenSocket = ListenAt);
        return builder;
    }

    /// <summary>
    /// A writer whose machine is gone says no goodbye, and over HTTP/1.1 nothing else asks for it: its open body would keep its stream from being abandoned for ever. So TCP asks, after a
    /// minute of silence and then every 15 seconds, and after four questions without an answer the connection is over. Accepted connections inherit it.
    /// </summary>
    private static Socket ListenAt(EndPoint endpoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        if (socket.ProtocolType != ProtocolType.Tcp) return socket;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 15);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 4);
        return socket;
    }
}
