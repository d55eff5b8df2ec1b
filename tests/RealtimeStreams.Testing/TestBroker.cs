using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

using RealtimeStreams.EmbeddedBroker;

namespace RealtimeStreams.Testing;

/// <summary>What a <see cref="TestBroker"/> may be told.</summary>
public sealed record TestBrokerOptions
{
    /// <summary>The largest message in bytes. Default: 2 MiB, as of the embedded broker.</summary>
    public int MaxPayload { get; init; } = 2 * 1024 * 1024;

    /// <summary>How often files are flushed to the disk: a Go duration, or <c>always</c>. Default: 200 ms, as of the embedded broker.</summary>
    public string SyncInterval { get; init; } = "200ms";

    /// <summary>Further lines for the server's configuration file.</summary>
    public string MoreConfiguration { get; init; } = "";
}

/// <summary>
/// A real nats-server with JetStream, on a free loopback port and a folder of its own. It can be killed and started again, on
/// the same port and data. It ends with the test, and with the test process.
/// </summary>
public sealed class TestBroker : IAsyncDisposable
{
    private static readonly TimeSpan startLimit = TimeSpan.FromSeconds(60);
    private static readonly Lazy<Task<NatsServerExecutable>> executable = new(LocateAsync);
    private static readonly ConcurrentDictionary<TestBroker, bool> running = new();

    private readonly TempFolder folder = new("broker");
    private readonly string configuration;
    private readonly ConcurrentQueue<string> lines = new();
    private Process? process;

    static TestBroker() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var broker in running.Keys) broker.process?.Kill();
    };

    private TestBroker(TestBrokerOptions options)
    {
        Port = FreePort.Find();
        configuration = folder["server.conf"];
        File.WriteAllText(configuration, string.Create(CultureInfo.InvariantCulture, $$"""
            listen: "127.0.0.1:{{Port}}"
            max_payload: {{options.MaxPayload}}
            jetstream { store_dir: {{Quoted(folder["store"])}}, sync_interval: "{{options.SyncInterval}}" }
            {{options.MoreConfiguration}}
            """));
    }

    /// <summary>Its address, without credentials: <c>nats://127.0.0.1:PORT</c>. The same for its whole life.</summary>
    public string Url => string.Create(CultureInfo.InvariantCulture, $"nats://127.0.0.1:{Port}");

    /// <summary>Its port, the same for its whole life.</summary>
    public int Port { get; }

    /// <summary>The process that runs now; throws while there is none.</summary>
    public int ProcessId => process?.Id ?? throw new InvalidOperationException("The broker is not running.");

    /// <summary>Starts a broker and returns once it takes connections.</summary>
    public static async Task<TestBroker> StartAsync(TestBrokerOptions? options = null, CancellationToken cancellationToken = default)
    {
        var broker = new TestBroker(options ?? new TestBrokerOptions());
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
        process.Dispose();
        process = null;
    }

    /// <summary>Starts the process again after <see cref="Kill"/>, with the same port and data, and returns once it takes connections.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        if (process is not null) throw new InvalidOperationException("The broker is running.");
        var path = (await executable.Value).Path;
        lines.Clear();
        var started = new Process
        {
            StartInfo = new ProcessStartInfo(path, ["-c", configuration]) { RedirectStandardError = true, UseShellExecute = false },
        };
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        started.ErrorDataReceived += (sender, received) =>
        {
            if (received.Data is not { } line)
            {
                ready.TrySetException(new InvalidOperationException($"nats-server ended:\n{string.Join('\n', lines)}"));
                return;
            }

            lines.Enqueue(line);
            while (lines.Count > 1000) lines.TryDequeue(out _);
            if (line.Contains("Server is ready", StringComparison.Ordinal)) ready.TrySetResult();
        };
        started.Start();
        process = started;
        running[this] = true;
        started.BeginErrorReadLine();
        await ready.Task.WaitAsync(startLimit, cancellationToken);
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Port, cancellationToken);
    }

    /// <summary>The newest lines that the server logged, at most 1,000.</summary>
    public IReadOnlyCollection<string> Log => [.. lines];

    public ValueTask DisposeAsync()
    {
        running.TryRemove(this, out _);
        if (process is not null) Kill();
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private static string Quoted(string path) => $"\"{path.Replace("\\", "\\\\", StringComparison.Ordinal)}\"";

    private static Task<NatsServerExecutable> LocateAsync() =>
        new NatsServerLocator(
            Options.Create(new EmbeddedBrokerOptions { NatsServerPath = Environment.GetEnvironmentVariable("RealtimeStreams__NatsServerPath") }),
            TimeProvider.System,
            NullLogger<NatsServerLocator>.Instance).FindAsync(CancellationToken.None);
}
