using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Server.Hosting;

/// <summary>Tells a developer at start where the server is and how to talk to it. In Development only: it shows the secret key.</summary>
internal sealed class Greeting(IServer server, IDefaultSecretKey secretKey) : IHostedLifecycleService
{
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        var key = await secretKey.GetAsync(cancellationToken);
        if (server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() is not { } address) return;
        var api = $"{address.TrimEnd('/')}/api/v1";
        var authorization = $"-H 'Authorization: Bearer {key}'";
        var json = "-H 'Content-Type: application/json'";
        await Console.Out.WriteLineAsync(
            $$"""

              RealtimeStreams is at   {{api}}
              Secret key              {{key}}

              Register a run and append a chunk:
                curl {{authorization}} {{json}} -d '{"id":"hello"}' {{api}}/runs && curl {{authorization}} {{json}} -d '{"say":"hello"}' {{api}}/runs/hello/streams/default

              Read it, and what follows:
                curl -N {{authorization}} {{api}}/runs/hello/streams/default

            """.AsMemory(),
            cancellationToken);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Adds the greeting, unless <c>RealtimeStreams:Greeting</c> is false because whoever starts the server greets by itself.</summary>
internal static class GreetingExtensions
{
    public static WebApplicationBuilder AddGreeting(this WebApplicationBuilder builder)
    {
        if (builder.Environment.IsDevelopment() && builder.Configuration.GetValue("RealtimeStreams:Greeting", true))
            builder.Services.AddHostedService<Greeting>();
        return builder;
    }
}
