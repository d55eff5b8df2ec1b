using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Benchmarks.Product;

/// <summary>The real server, built as the benchmark is (Release), as a process of its own on a broker that it is given.</summary>
internal sealed class ServerUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly TempFolder folder = new("server");
    private readonly Process process;

    private ServerUnderTest(TestBroker broker, IEnumerable<string> program)
    {
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Find()}"));
        SecretKey = "rs_dev_" + Guid.NewGuid().ToString("N");
        process = new Process
        {
            StartInfo = new ProcessStartInfo("dotnet", [.. program, "--urls", Address.OriginalString])
            {
                WorkingDirectory = folder.FullPath,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                UseShellExecute = false,
                Environment =
                {
                    ["ConnectionStrings__nats"] = broker.Url,
                    ["RealtimeStreams__DataDirectory"] = folder["data"],
                    ["RealtimeStreams__SecretKey"] = SecretKey,
                    ["ASPNETCORE_ENVIRONMENT"] = "Production",
                    ["Logging__LogLevel__Default"] = "Warning",
                },
            },
        };
        Client = new HttpClient { BaseAddress = Address, Timeout = StartLimit };
        Client.DefaultRequestHeaders.Authorization = new("Bearer", SecretKey);
    }

    public Uri Address { get; }

    public string SecretKey { get; }

    /// <summary>A client as any .NET program has it.</summary>
    public HttpClient Client { get; }

    /// <summary>Starts it and returns once it is ready to append.</summary>
    public static Task<ServerUnderTest> StartAsync(TestBroker broker, CancellationToken cancellationToken) =>
        StartAsync(new ServerUnderTest(broker, [Path.Combine(AppContext.BaseDirectory, "RealtimeStreams.Server.dll")]), cancellationToken);

    /// <summary>Starts it inside a <see cref="WeighedServer"/>, so that <see cref="WeighAsync"/> can be asked.</summary>
    public static Task<ServerUnderTest> StartWeighedAsync(TestBroker broker, CancellationToken cancellationToken) =>
        StartAsync(new ServerUnderTest(broker, [typeof(WeighedServer).Assembly.Location, WeighedServer.Word]), cancellationToken);

    private static async Task<ServerUnderTest> StartAsync(ServerUnderTest server, CancellationToken cancellationToken)
    {
        try
        {
            server.process.Start();
            await server.WaitUntilReadyAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Registers a run; tells the path of one of its streams.</summary>
    public async Task<string> NewStreamAsync(CancellationToken cancellationToken)
    {
        var answer = await Client.PostAsJsonAsync("api/v1/runs", new RegisterRun(TaskId: "benchmark"), NativeJson.Default.RegisterRun, cancellationToken);
        answer.EnsureSuccessStatusCode();
        var run = (await answer.Content.ReadFromJsonAsync(NativeJson.Default.RunInfo, cancellationToken))!;
        return $"/api/v1/runs/{Uri.EscapeDataString(run.Id)}/streams/default";
    }

    /// <summary>The bytes of managed memory that the server still uses after a full collection.</summary>
    public async Task<long> WeighAsync(CancellationToken cancellationToken)
    {
        await process.StandardInput.WriteLineAsync(WeighedServer.Word.AsMemory(), cancellationToken);
        await process.StandardInput.FlushAsync(cancellationToken);
        while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
            if (WeighedServer.TryRead(line, out var bytes)) return bytes;
        throw new InvalidOperationException("The server ended before it was weighed.");
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        process.Dispose();
        folder.Dispose();
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var answer = "no answer";
        while (Stopwatch.GetElapsedTime(began) < StartLimit)
        {
            if (process.HasExited) throw new InvalidOperationException($"The server ended with code {process.ExitCode}: {await process.StandardOutput.ReadToEndAsync(cancellationToken)}");
            try
            {
                using var health = await Client.GetAsync("health", cancellationToken);
                if (health.StatusCode == HttpStatusCode.OK) return;
                answer = await health.Content.ReadAsStringAsync(cancellationToken);
            }
            catch (HttpRequestException exception)
            {
                answer = exception.Message;
            }
            await Task.Delay(Poll, TimeProvider.System, cancellationToken);
        }
        throw new TimeoutException($"The server was not ready after {StartLimit.TotalSeconds:0} s: {answer}");
    }
}
