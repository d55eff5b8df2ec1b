using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

using RealtimeStreams.EmbeddedBroker;
using RealtimeStreams.EmbeddedBroker.Running;

namespace RealtimeStreams.Testing;

/// <summary>
/// A real nats-server with JetStream, on free loopback ports and a folder of its own. It can be killed and started again, on
/// the same ports and data. It ends with the test, and with the test process, however that ends.
/// </summary>
public sealed class TestBroker : IAsyncDisposable
{
    private const int KeptLines = 1000;
    private static readonly TimeSpan startLimit = TimeSpan.FromSeconds(60);
    private static readonly Lazy<Task<NatsServerExecutable>> executable = new(LocateAsync);

    private readonly TempFolder folder = new("broker");
    private readonly string configuration;
    private readonly ConcurrentQueue<string> lines = new();
    private Process? process;
    private IProcessGuard? guard;

    internal TestBroker(TestBrokerOptions options, int port, int monitoringPort)
    {
        Port = port;
        Monitoring = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{monitoringPort}/"));
        configuration = folder["server.conf"];
        File.WriteAllText(configuration, string.Create(CultureInfo.InvariantCulture, $$"""
            listen: "127.0.0.1:{{port}}"
            http: "127.0.0.1:{{monitoringPort}}"
            max_payload: {{options.MaxPayload}}
            jetstream { store_dir: "{{folder["store"].Replace(@"\", "/", StringComparison.Ordinal)}}", sync_interval: "{{options.SyncInterval}}" }
            {{options.MoreConfiguration}}
            """));
    }

    /// <summary>Its address, without credentials: <c>nats://127.0.0.1:PORT</c>. The same for its whole life.</summary>
    public string Url => string.Create(CultureInfo.InvariantCulture, $"nats://127.0.0.1:{Port}");

    /// <summary>Its HTTP monitoring, <c>http://127.0.0.1:PORT/</c>. The same for its whole life.</summary>
    public Uri Monitoring { get; }

    /// <summary>Its port, the same for its whole life.</summary>
    public int Port { get; }

    /// <summary>The process that runs now; throws while there is none.</summary>
    public int ProcessId => process?.Id ?? throw new InvalidOperationException("The broker is not running.");

    /// <summary>The newest lines that the server logged, at most 1,000.</summary>
    public IReadOnlyCollection<string> Log => [.. lines];

    /// <summary>Starts a broker and returns once it takes connections.</summary>
    public static async Task<TestBroker> StartAsync(TestBrokerOptions? options = null, CancellationToken cancellationToken = default)
    {
        var ports = FreePort.Find(2);
        var broker = new TestBroker(options ?? new TestBrokerOptions(), ports[0], ports[1]);
        try
        {
            await broker.StartAgainAsync(cancellationToken);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the process at once, as kill -9 does, and returns when it is gone.</summary>
    public void Kill()
    {
        if (process is null) throw new InvalidOperationException("The broker is not running.");
        process.Kill();
        process.WaitForExit();
        guard?.Dispose();
        process.Dispose();
        process = null;
    }

    /// <summary>Starts the process again after <see cref="Kill"/>, with the same ports and data, and returns once it takes connections.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        if (process is not null) throw new InvalidOperationException("The broker is running.");
        var path = (await executable.Value).Path;
        lines.Clear();
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process = new Process { StartInfo = new ProcessStartInfo(path, ["-c", configuration]) { RedirectStandardError = true, UseShellExecute = false } };
        process.ErrorDataReceived += (sender, received) => Read(received.Data, ready);
        process.Start();
        guard = IProcessGuard.Over(process);
        process.BeginErrorReadLine();
        await ready.Task.WaitAsync(startLimit, cancellationToken);
    }

    /// <summary>How many messages it stores, in all its streams.</summary>
    public async Task<long> CountMessagesAsync(CancellationToken cancellationToken = default)
    {
        using var client = new HttpClient();
        using var told = JsonDocument.Parse(await client.GetStringAsync(new Uri(Monitoring, "jsz"), cancellationToken));
        return told.RootElement.TryGetProperty("messages", out var messages) ? messages.GetInt64() : 0;
    }

    public ValueTask DisposeAsync()
    {
        if (process is not null) Kill();
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Read(string? line, TaskCompletionSource ready)
    {
        if (line is null)
        {
            ready.TrySetException(new InvalidOperationException($"nats-server ended:\n{string.Join('\n', lines)}"));
            return;
        }

        lines.Enqueue(line);
        while (lines.Count > KeptLines) lines.TryDequeue(out _);
        if (line.EndsWith("Server is ready", StringComparison.Ordinal)) ready.TrySetResult();
    }

    private static Task<NatsServerExecutable> LocateAsync() =>
        new NatsServerLocator(
            Options.Create(new EmbeddedBrokerOptions { NatsServerPath = Environment.GetEnvironmentVariable("RealtimeStreams__NatsServerPath") }),
            TimeProvider.System,
            NullLogger<NatsServerLocator>.Instance).FindAsync(CancellationToken.None);
}
