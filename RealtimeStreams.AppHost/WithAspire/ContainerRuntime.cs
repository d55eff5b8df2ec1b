using System.ComponentModel;
using System.Diagnostics;

namespace RealtimeStreams.AppHost.WithAspire;

internal static class ContainerRuntime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Whether Docker or Podman (or what ASPIRE_CONTAINER_RUNTIME names) answers: NATS and PostgreSQL are containers.</summary>
    public static async Task<bool> IsRunningAsync()
    {
        string[] candidates = Environment.GetEnvironmentVariable("ASPIRE_CONTAINER_RUNTIME") is { Length: > 0 } named ? [named] : ["docker", "podman"];
        foreach (var candidate in candidates)
        {
            if (await AnswersAsync(candidate))
                return true;
        }

        return false;
    }

    private static async Task<bool> AnswersAsync(string command)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, ["info"])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            try
            {
                await Task.WhenAll(process.StandardOutput.ReadToEndAsync(patience.Token), process.StandardError.ReadToEndAsync(patience.Token));
                await process.WaitForExitAsync(patience.Token);
                return process.ExitCode == 0;
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                return false;
            }
        }
        catch (Win32Exception)
        {
            return false; // Not installed.
        }
    }
}
