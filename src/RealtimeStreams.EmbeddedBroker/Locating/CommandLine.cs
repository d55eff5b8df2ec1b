using System.ComponentModel;
using System.Diagnostics;

namespace RealtimeStreams.EmbeddedBroker.Locating;

/// <summary>Runs a short command to its end and returns what it said.</summary>
internal static class CommandLine
{
    /// <summary>ETXTBSY, on Linux and macOS.</summary>
    private const int FileBusy = 26;
    private const int BusyTries = 20;
    private static readonly TimeSpan busyRetry = TimeSpan.FromMilliseconds(50);

    public static async Task<CommandOutcome> RunAsync(
        string fileName, IEnumerable<string> arguments, TimeSpan timeout, CancellationToken cancellationToken, string? workingDirectory = null)
    {
        var start = new ProcessStartInfo(fileName, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
            WorkingDirectory = workingDirectory ?? "",
        };
        // What is read here is read by a program.
        start.Environment["LC_ALL"] = "C";

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        Process? process = null;
        for (var tries = 1; process is null; tries++)
        {
            try
            {
                process = Process.Start(start)!;
            }
            catch (Win32Exception exception) when (exception.NativeErrorCode == FileBusy && !OperatingSystem.IsWindows() && tries < BusyTries)
            {
                // Somebody has it open for writing. What was only just written may be so for a moment: another process that was being started meanwhile inherited it.
                await Task.Delay(busyRetry, TimeProvider.System, cancellationToken);
            }
            catch (Exception exception) when (exception is Win32Exception or IOException)
            {
                return new CommandOutcome(-1, "", exception.Message);
            }
        }

        using (process)
        {
            try
            {
                process.StandardInput.Close();
                var output = process.StandardOutput.ReadToEndAsync(limit.Token);
                var errors = process.StandardError.ReadToEndAsync(limit.Token);
                await process.WaitForExitAsync(limit.Token);
                return new CommandOutcome(process.ExitCode, await output, await errors);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return new CommandOutcome(-1, "", $"did not end within {timeout.TotalSeconds:0} s");
            }
            finally
            {
                if (!process.HasExited) process.Kill(entireProcessTree: true);
            }
        }
    }
}

/// <summary>How a command ended.</summary>
internal sealed record CommandOutcome(int ExitCode, string Output, string Errors)
{
    public bool Succeeded => ExitCode == 0;

    /// <summary>The last line that it wrote as an error, or its exit code: enough for a message.</summary>
    public string Reason =>
        Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .LastOrDefault(line => !line.StartsWith("W:", StringComparison.Ordinal)) ?? $"exit code {ExitCode}";
}
