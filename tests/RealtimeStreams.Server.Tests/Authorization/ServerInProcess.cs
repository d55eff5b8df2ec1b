using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Server.Tests.Authorization;

/// <summary>The server's own program, run in this process on a real port, so that a test sees its endpoints. Two environments, an operator key.</summary>
public sealed class ServerInProcess : IAsyncLifetime
{
    /// <summary>The collection of the tests that share it.</summary>
    public const string Name = "authorization";

    public const string SecretKey = "rssk_authorization-0123456789-0123456789";
    public const string OperatorKey = "operator-authorization-0123456789";

    private readonly TempFolder folder = new("authorization");
    private TestBroker? broker;
    private IHost? host;
    private Task<int>? program;

    /// <summary>Every endpoint that the server has.</summary>
    public IReadOnlyList<Endpoint> Endpoints => [.. host!.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints)];

    public Uri Address { get; private set; } = new("http://127.0.0.1");

    /// <summary>A second environment's id and secret key.</summary>
    public (string Id, string Key) Other { get; private set; }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync();
        var built = new TaskCompletionSource<IHost>(TaskCreationOptions.RunContinuationsAsynchronously);
        // What the framework's own test host listens to as well: the host is told when it has been built.
        using var all = DiagnosticListener.AllListeners.Subscribe(new Observer<DiagnosticListener>(listener =>
        {
            if (listener.Name != "Microsoft.Extensions.Hosting") return;
            listener.Subscribe(new Observer<KeyValuePair<string, object?>>(told =>
            {
                if (told is { Key: "HostBuilt", Value: IHost found }
                    && found.Services.GetRequiredService<IConfiguration>()["RealtimeStreams:DataDirectory"] == folder.FullPath) built.TrySetResult(found);
            }));
        }));
        string[] arguments =
        [
            "--urls", "http://127.0.0.1:0",
            "--ConnectionStrings:nats", broker.Url,
            "--RealtimeStreams:DataDirectory", folder.FullPath,
            "--RealtimeStreams:SecretKey", SecretKey,
            "--RealtimeStreams:OperatorKey", OperatorKey,
            "--RealtimeStreams:Limits:FailedLoginBurst", "1000000", // The tests of wrong credentials all come from one address.
            "--RealtimeStreams:Greeting", "false",
            "--Logging:Console:LogLevel:Default", "None",
        ];
        // On a thread of its own: the entry point of an async Main blocks.
        program = Task.Factory.StartNew(
            () => (int)typeof(Hosting.Announcements).Assembly.EntryPoint!.Invoke(null, [arguments])!,
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (await Task.WhenAny(built.Task, program) == program) await program;
        host = await built.Task;

        var started = new TaskCompletionSource();
        using var waiting = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(() => started.TrySetResult());
        if (await Task.WhenAny(started.Task, program) == program) await program;
        Address = new Uri(host.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());
        await Until.TrueAsync(() => "the server is not ready", async () => (await SendAsync("GET", "/health", null, null)).Status == 200, TimeSpan.FromSeconds(30));
        var (status, text) = await SendAsync("POST", "/api/v1/admin/environments", $"Bearer {OperatorKey}", """{"id":"other"}""");
        Assert.True(status == 201, text);
        using var made = JsonDocument.Parse(text);
        Other = ("other", made.RootElement.GetProperty("secretKey").GetString()!);
    }

    public async ValueTask DisposeAsync()
    {
        if (host is not null) host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        if (program is not null) await program;
        if (broker is not null) await broker.DisposeAsync();
        folder.Dispose();
    }

    /// <summary>Sends one request, whose target goes over the wire as it is written. A long answer is read only up to its beginning.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="authorization">The header; null for none.</param>
    /// <param name="body">JSON; null for none.</param>
    public async Task<(int Status, string Text)> SendAsync(string method, string path, string? authorization, string? body)
    {
        var target = new Uri(Address.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(new HttpMethod(method), target);
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (body is not null) request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        using var client = new HttpClient();
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);
        var isLong = answer.Content.Headers.ContentType?.MediaType == "text/event-stream";
        return ((int)answer.StatusCode, isLong ? "" : await answer.Content.ReadAsStringAsync(Cancelled));
    }

    private sealed class Observer<T>(Action<T> onNext) : IObserver<T>
    {
        public void OnNext(T value) => onNext(value);

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }
}

[CollectionDefinition(ServerInProcess.Name)]
public sealed class AuthorizationTests : ICollectionFixture<ServerInProcess>;
