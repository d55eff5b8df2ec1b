using System.Net;
using System.Net.Sockets;
using System.Text;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>A client that has one HTTP/2 connection for all that it asks.</summary>
internal sealed class Http2Connection : IDisposable
{
    private readonly SocketsHttpHandler handler;
    private int connects;

    public Http2Connection(ServerProcess server, string? credential = null)
    {
        handler = new SocketsHttpHandler
        {
            InitialHttp2StreamWindowSize = 65_535, // A reader that reads nothing takes no more than this.
            EnableMultipleHttp2Connections = false,
            ConnectCallback = async (context, cancellationToken) =>
            {
                Interlocked.Increment(ref connects);
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        Client = new HttpClient(handler, disposeHandler: false)
        {
            BaseAddress = server.Address,
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestHeaders = { Authorization = new("Bearer", credential ?? server.SecretKey) },
        };
    }

    /// <summary>How often it has connected: once, unless the connection was ended.</summary>
    public int Connects => Volatile.Read(ref connects);

    public HttpClient Client { get; }

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content = null, string? accept = null)
    {
        var target = new Uri(Client.BaseAddress!.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(method, target) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = content };
        if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Api.Cancellation);
    }

    public void Dispose()
    {
        Client.Dispose();
        handler.Dispose();
    }
}

/// <summary>A body that is sent bit by bit, and may stay open.</summary>
internal sealed class OpenBody : HttpContent
{
    private readonly TaskCompletionSource<Stream> opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public OpenBody(string contentType) => Headers.TryAddWithoutValidation("Content-Type", contentType);

    public async Task WriteAsync(string text)
    {
        var stream = await opened.Task.WaitAsync(Api.Cancellation);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text), Api.Cancellation);
        await stream.FlushAsync(Api.Cancellation);
    }

    public void End() => ended.TrySetResult();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.FlushAsync(Api.Cancellation);
        opened.TrySetResult(stream);
        await ended.Task;
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        End(); // Whoever still sends it is let go.
        base.Dispose(disposing);
    }
}
