using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Reflection;

namespace RealtimeStreams.Testing;

/// <summary>What a <see cref="ServerProcess"/> may be told.</summary>
public sealed record ServerProcessOptions
{
    /// <summary>The broker's address; null: the server's own embedded broker.</summary>
    public string? Nats { get; init; }

    /// <summary>A PostgreSQL connection string; null: SQLite in the data directory.</summary>
    public string? Registry { get; init; }

    /// <summary>Where the server keeps its data; null: a folder of its own, removed at the end. Nodes of one deployment with SQLite share one.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>The secret key of the default environment.</summary>
    public string SecretKey { get; init; } = "rssk_tests-0123456789-0123456789-0123456789";

    /// <summary>A certificate with which it is also reached over TLS, at <see cref="ServerProcess.SecureAddress"/>; null: clear text only.</summary>
    public TestCertificate? Certificate { get; init; }

    /// <summary>Further settings, with the names of environment variables.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}

/// <summary>
/// The real server as a process of its own, on a free loopback port. It can be killed and started again with the same port and data. It ends with
/// the test, and with the test process.
/// </summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan startLimit = TimeSpan.FromSeconds(90);
    private static readonly ConcurrentDictionary<ServerProcess, bool> running = new();

    private readonly ServerProcessOptions options;
    private readonly TempFolder? folder;
    private readonly ConcurrentQueue<string> lines = new();
    private Process? process;

    static ServerProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var server in running.Keys) server.process?.Kill(entireProcessTree: true);
    };

    private ServerProcess(ServerProcessOptions options)
    {
        this.options = options;
        if (options.DataDirectory is null) folder = new TempFolder("server");
        var ports = FreePort.Find(2);
        Port = ports[0];
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}/"));
        if (options.Certificate is not null) SecureAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"https://localhost:{ports[1]}/"));
    }

    /// <summary>Its address, the same for its whole life.</summary>
    public Uri Address { get; }

    /// <summary>Its address over TLS, the same for its whole life; null without a certificate.</summary>
    public Uri? SecureAddress { get; }

    /// <summary>Its port, the same for its whole life.</summary>
    public int Port { get; }

    /// <summary>The secret key of its default environment.</summary>
    public string SecretKey => options.SecretKey;

    /// <summary>The process that runs now; throws while there is none.</summary>
    public int ProcessId => Running.Id;

    /// <summary>The newest lines that the server printed, at most 1,000.</summary>
    public IReadOnlyCollection<string> Log => [.. lines];

    /// <summary>The memory that the process uses now, in bytes.</summary>
    public long WorkingSet
    {
        get
        {
            Running.Refresh();
            return Running.WorkingSet64;
        }
    }

    private Process Running => process ?? throw new InvalidOperationException("The server is not running.");

    /// <summary>A server that does not run yet: <see cref="StartAgainAsync"/> starts it.</summary>
    public static ServerProcess Prepare(ServerProcessOptions? options = null) => new(options ?? new ServerProcessOptions());

    /// <summary>Starts a server and returns once it says that it is ready.</summary>
    public static async Task<ServerProcess> StartAsync(ServerProcessOptions? options = null, CancellationToken cancellationToken = default)
    {
        var server = Prepare(options);
        try
        {
            await server.StartAgainAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>A client with the secret key and without a time limit of its own.</summary>
    /// <param name="port">Another port, for example of a proxy in front of the server.</param>
    public HttpClient CreateClient(int? port = null) => new()
    {
        BaseAddress = new UriBuilder(Address) { Port = port ?? Port }.Uri,
        Timeout = Timeout.InfiniteTimeSpan,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", SecretKey) },
    };

    /// <summary>Ends the process at once, as kill -9 does, and returns when it is gone.</summary>
    public void Kill()
    {
        Running.Kill();
        Running.WaitForExit();
        Forget();
    }

    /// <summary>Asks the process to stop and returns its exit code when it has. Only on Unix: it sends SIGTERM.</summary>
    public async Task<int> StopAsync(CancellationToken cancellationToken = default)
    {
        using var kill = Process.Start("kill", ["-TERM", ProcessId.ToString(CultureInfo.InvariantCulture)]);
        await Running.WaitForExitAsync(cancellationToken).WaitAsync(startLimit, cancellationToken);
        var code = Running.ExitCode;
        Forget();
        return code;
    }

    /// <summary>Starts the process again after it ended, with the same port, data and settings, and returns once it says that it is ready.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        if (process is not null) throw new InvalidOperationException("The server is running.");
        lines.Clear();
        process = new Process { StartInfo = StartInfo() };
        process.OutputDataReceived += (_, received) => Note(received.Data);
        process.ErrorDataReceived += (_, received) => Note(received.Data);
        process.Start();
        running[this] = true;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await WaitUntilReadyAsync(cancellationToken);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        running.TryRemove(this, out _);
        if (process is not null)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            Forget();
        }
        // A child that was killed with it may still be making a file.
        if (folder is not null) await Until.TrueAsync(() => $"{folder.FullPath} cannot be deleted.", IsDeleted);
    }

    private bool IsDeleted()
    {
        try
        {
            folder!.Dispose();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private ProcessStartInfo StartInfo()
    {
        var assembly = typeof(ServerProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "ServerAssembly").Value!;
        var directory = options.DataDirectory ?? folder!.FullPath;
        var start = new ProcessStartInfo("dotnet", [assembly, "--urls", Address.ToString()])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = directory,
        };
        start.Environment["RealtimeStreams__DataDirectory"] = directory;
        start.Environment["RealtimeStreams__SecretKey"] = options.SecretKey;
        if (options.Nats is not null) start.Environment["ConnectionStrings__nats"] = options.Nats;
        if (options.Registry is not null) start.Environment["ConnectionStrings__registry"] = options.Registry;
        if (options.Certificate is { } certificate)
        {
            // These replace --urls, so that both are named.
            start.Environment["Kestrel__Endpoints__Http__Url"] = Address.ToString();
            start.Environment["Kestrel__Endpoints__Https__Url"] = SecureAddress!.ToString();
            start.Environment["Kestrel__Endpoints__Https__Certificate__Path"] = certificate.Path;
            start.Environment["Kestrel__Endpoints__Https__Certificate__KeyPath"] = certificate.KeyPath;
        }
        // It lives for seconds: what the compiler would learn for its second pass costs a fifth of the processor's time, and is never used.
        start.Environment["DOTNET_TieredPGO"] = "0";
        // Tests of wrong credentials all come from one address.
        start.Environment["RealtimeStreams__Limits__FailedLoginBurst"] = "1000000";
        foreach (var (name, value) in options.Settings) start.Environment[name] = value;
        return start;
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(5) };
        await Until.TrueAsync(() => $"The server is not ready:\n{string.Join('\n', lines)}", AnswersAsync, startLimit);

        async Task<bool> AnswersAsync()
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Running.HasExited)
            {
                await Running.WaitForExitAsync(cancellationToken); // Until then what it printed may be on its way.
                throw new InvalidOperationException($"The server ended with code {Running.ExitCode}:\n{string.Join('\n', lines)}");
            }
            try
            {
                using var answer = await client.GetAsync(new Uri("health", UriKind.Relative), cancellationToken);
                if (!answer.IsSuccessStatusCode) return false;
                if (SecureAddress is null) return true;
                // The web server listens at one address after the other.
                using var connection = new TcpClient();
                await connection.ConnectAsync(SecureAddress.Host, SecureAddress.Port, cancellationToken);
                return true;
            }
            catch (Exception exception) when (exception is HttpRequestException or SocketException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
            {
                return false; // Not listening yet.
            }
        }
    }

    private void Note(string? line)
    {
        if (line is null) return;
        lines.Enqueue(line);
        while (lines.Count > 1000) lines.TryDequeue(out _);
    }

    private void Forget()
    {
        process?.Dispose();
        process = null;
    }
}
