using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Server.Hosting;

namespace RealtimeStreams.Server.Tests;

/// <summary>The server's own listening, with an endpoint behind it that tells the protocol it was reached by.</summary>
internal sealed class Listener : IAsyncDisposable
{
    private readonly WebApplication app;

    private Listener(WebApplication app) => this.app = app;

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public Uri Address => new(app.Urls.Single());

    public static async Task<Listener> StartAsync(Action<KestrelServerOptions>? configure = null, bool tls = false, string? protocols = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        if (protocols is not null) builder.Configuration["Kestrel:EndpointDefaults:Protocols"] = protocols;
        builder.AddWebServer();
        builder.WebHost.UseUrls(tls ? "https://127.0.0.1:0" : "http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = OwnCertificate());
            configure?.Invoke(kestrel);
        });
        var app = builder.Build();
        app.MapGet("/", (HttpContext context) => context.Request.Protocol);
        app.MapPost("/", async (HttpContext context) =>
        {
            using var reader = new StreamReader(context.Request.Body);
            return $"{context.Request.Protocol} {(await reader.ReadToEndAsync(context.RequestAborted)).Length}";
        });
        await app.StartAsync(Cancellation);
        return new Listener(app);
    }

    public async Task<NetworkStream> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(Address.Host, Address.Port, Cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }

    public Task StopAsync() => app.StopAsync(Cancellation);

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private static X509Certificate2 OwnCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
