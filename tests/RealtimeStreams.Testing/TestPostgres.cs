using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace RealtimeStreams.Testing;

/// <summary>
/// A real PostgreSQL server of the machine's own binaries, on a free loopback port and a folder of its own, with nothing forced to
/// the disk. It can be stopped and started again, on the same port and data. It ends with the test, and with the test process.
/// </summary>
public sealed class TestPostgres : IAsyncDisposable
{
    /// <summary>Why tests that need it are skipped where <see cref="IsPresent"/> is false.</summary>
    public const string MissingReason =
        "No PostgreSQL server was found on this machine (initdb, postgres and createdb on PATH, by pg_config, or in the usual places), " +
        "or there is no unprivileged user to run it as. All that can runs on SQLite too.";

    /// <summary>
    /// The server as a child of a shell that waits for the end of its own input, which comes when it is stopped and also when the
    /// test process dies. It prints the server's process id first.
    /// </summary>
    private const string Guard = """
        "$@" </dev/null & server=$!; echo $server; cat >/dev/null; kill -INT $server 2>/dev/null; wait $server
        """;

    private static readonly TimeSpan startLimit = TimeSpan.FromSeconds(60);
    private static int databases;

    private readonly PostgresBinaries binaries;
    private readonly TempFolder folder = new("postgres");
    private readonly ConcurrentQueue<string> lines = new();
    private readonly int port = FreePort.Find();
    private Process? guard;

    private TestPostgres(PostgresBinaries binaries) => this.binaries = binaries;

    /// <summary>Whether this machine can run one.</summary>
    public static bool IsPresent => PostgresBinaries.Found is not null;

    /// <summary>The server's process id; 0 while there is none.</summary>
    public int ProcessId { get; private set; }

    /// <summary>Makes a server's folder, starts it, and returns once it takes connections.</summary>
    public static async Task<TestPostgres> StartAsync(CancellationToken cancellationToken)
    {
        var server = new TestPostgres(PostgresBinaries.Found ?? throw new InvalidOperationException(MissingReason));
        try
        {
            await server.InitializeAsync(cancellationToken);
            await server.StartAgainAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it after <see cref="StopAsync"/>.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken)
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = new Process
        {
            StartInfo = PostgresBinaries.Describe(folder.FullPath, ["/bin/sh", "-c", Guard, "sh", .. binaries.Command(
                "postgres",
                "-D", folder["data"],
                "-c", "listen_addresses=127.0.0.1",
                "-c", string.Create(CultureInfo.InvariantCulture, $"port={port}"),
                "-c", "unix_socket_directories=",
                "-c", "max_connections=200",
                "-c", "shared_buffers=32MB",
                "-c", "fsync=off",
                "-c", "full_page_writes=off",
                "-c", "synchronous_commit=off")]),
            EnableRaisingEvents = true,
        };
        process.OutputDataReceived += (_, line) =>
        {
            if (int.TryParse(line.Data, CultureInfo.InvariantCulture, out int id)) ProcessId = id;
        };
        process.ErrorDataReceived += (sender, line) =>
        {
            if (line.Data is null) return;
            lines.Enqueue(line.Data);
            while (lines.Count > 200) lines.TryDequeue(out _);
            if (line.Data.Contains("database system is ready to accept connections", StringComparison.Ordinal)) ready.TrySetResult();
            if (line.Data.Contains("database system is shut down", StringComparison.Ordinal) || IsOwnFailure(line.Data))
                ready.TrySetException(new InvalidOperationException("PostgreSQL did not start:\n" + string.Join('\n', lines)));
        };
        process.Start();
        guard = process;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await ready.Task.WaitAsync(startLimit, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"PostgreSQL was not ready within {startLimit}:\n{string.Join('\n', lines)}");
        }
    }

    // A client that comes too early is told a fatal error too.
    private static bool IsOwnFailure(string line) =>
        line.Contains("FATAL:", StringComparison.Ordinal) && !line.Contains("the database system is starting up", StringComparison.Ordinal);

    /// <summary>Stops it: connections are cut at once.</summary>
    public async Task StopAsync()
    {
        if (guard is not { } process) return;
        guard = null;
        process.StandardInput.Close();
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
        ProcessId = 0;
    }

    /// <summary>Makes an empty database and returns its connection string.</summary>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test{Interlocked.Increment(ref databases)}");
        await binaries.RunAsync(
            folder.FullPath,
            "createdb",
            ["--host=127.0.0.1", string.Create(CultureInfo.InvariantCulture, $"--port={port}"), "--username=tests", "--no-password", name],
            cancellationToken);
        return string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=tests;Database={name};Maximum Pool Size=20");
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        folder.Dispose();
    }

    private async Task InitializeAsync(CancellationToken cancellationToken)
    {
        if (binaries.User is { } user)
        {
            using var chown = Process.Start("chown", [user, folder.FullPath]);
            await chown.WaitForExitAsync(cancellationToken);
        }
        string[] arguments = ["-D", folder["data"], "--username=tests", "--auth=trust", "--encoding=UTF8", "--no-sync"];
        try
        {
            // A collation that does not go by bytes, so that a column that forgot to say how it compares is found out.
            await binaries.RunAsync(folder.FullPath, "initdb", [.. arguments, "--locale-provider=icu", "--icu-locale=en-US"], cancellationToken);
        }
        catch (InvalidOperationException)
        {
            // Before version 15, or built without ICU.
            await binaries.RunAsync(folder.FullPath, "initdb", arguments, cancellationToken);
        }
    }
}
