using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

using Microsoft.Extensions.Logging;

namespace RealtimeStreams.EmbeddedBroker.Running;

/// <summary>One run of a nats-server, from its start to its end.</summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private const int Terminate = 15; // SIGTERM, the same number on Linux and macOS.
    private static readonly TimeSpan askAgain = TimeSpan.FromMilliseconds(20);

    private readonly Process process;
    private readonly IProcessGuard? guard;
    private readonly ServerLog log;
    private readonly TimeProvider clock;

    private ServerProcess(Process process, IProcessGuard? guard, ServerLog log, TimeProvider clock)
    {
        this.process = process;
        this.guard = guard;
        this.log = log;
        this.clock = clock;
        Id = process.Id;
        Ended = WatchAsync();
    }

    public int Id { get; }

    /// <summary>Completes when the process has ended and its last line is read: with its exit code.</summary>
    public Task<int> Ended { get; }

    /// <summary>The last lines that it wrote, for a message.</summary>
    public string LastLines => log.LastLines;

    /// <exception cref="EmbeddedBrokerException">The executable cannot be run.</exception>
    public static ServerProcess Start(string executable, BrokerFolder folder, TimeProvider clock, ILogger logger)
    {
        var process = Launch(executable, folder.Configuration);
        IProcessGuard? guard = null;
        try
        {
            guard = IProcessGuard.Over(process);
        }
        catch (Exception exception) when (exception is Win32Exception or FileNotFoundException)
        {
            LogUnguarded(logger, exception);
        }

        try
        {
            folder.Remember(process);
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception or IOException)
        {
            LogNotRemembered(logger, exception); // It ended already, which is seen soon; or the disk is full.
        }

        return new ServerProcess(process, guard, new ServerLog(logger), clock);
    }

    /// <summary>Waits until the server takes connections.</summary>
    /// <returns>False if it ended before.</returns>
    public async Task<bool> WaitUntilReadyAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        while (!Ended.IsCompleted)
        {
            if (await AnswersAsync(settings, cancellationToken)) return true;
            await Task.WhenAny(Ended, Task.Delay(askAgain, clock, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }

        return false;
    }

    /// <summary>Asks the server to end, and ends it when it has not done so within <paramref name="patience"/>.</summary>
    public async Task StopAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsWindows() && !Ended.IsCompleted && Signal(Id, Terminate) == 0)
        {
            try
            {
                await Ended.WaitAsync(patience, clock, cancellationToken);
                return;
            }
            catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
            {
                // Then without asking. What it acknowledged is with the operating system and survives that.
            }
        }

        Kill();
        await Ended;
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await Ended;
        guard?.Dispose();
        process.Dispose();
    }

    private static Process Launch(string executable, string configuration)
    {
        var start = new ProcessStartInfo { RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false, CreateNoWindow = true };
        // Ctrl+C in a terminal reaches every process there; the broker shall live until the services that use it have stopped.
        if (OperatingSystem.IsWindows()) start.CreateNewProcessGroup = true;
        start.FileName = FindSetsid() ?? executable;
        if (start.FileName != executable) start.ArgumentList.Add(executable);
        start.ArgumentList.Add("--config");
        start.ArgumentList.Add(configuration);
        try
        {
            var process = Process.Start(start)!;
            process.StandardInput.Close();
            return process;
        }
        catch (Win32Exception exception)
        {
            throw new EmbeddedBrokerException($"{executable} cannot be run: {exception.Message}", exception);
        }
    }

    // Part of every Linux system; it becomes the server, with the same process id. macOS has none: there Ctrl+C may end the broker early, it is
    // restarted, and ended again when its turn comes.
    private static string? FindSetsid() =>
        OperatingSystem.IsWindows() ? null : ((string[])["/usr/bin/setsid", "/bin/setsid"]).FirstOrDefault(File.Exists);

    private async Task<int> WatchAsync()
    {
        while (await process.StandardError.ReadLineAsync(CancellationToken.None) is { } line)
            if (line.Length > 0) log.Write(line);
        await process.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode;
    }

    /// <summary>A nats-server greets a connection with <c>INFO {…}</c>, and takes connections only once JetStream has recovered its store.</summary>
    private static async Task<bool> AnswersAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", settings.Port, cancellationToken);
            using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
            return await reader.ReadLineAsync(cancellationToken) is { } greeting
                && greeting.StartsWith("INFO ", StringComparison.Ordinal)
                && greeting.Contains(settings.Name, StringComparison.Ordinal);
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            return false;
        }
    }

    private void Kill()
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended.
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int processId, int signal);

    [LoggerMessage(EventId = 1552, Level = LogLevel.Warning, Message = "The broker may outlive this process if that is killed: no guard could be started")]
    private static partial void LogUnguarded(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 1553, Level = LogLevel.Debug, Message = "The broker's process id could not be noted")]
    private static partial void LogNotRemembered(ILogger logger, Exception exception);
}
