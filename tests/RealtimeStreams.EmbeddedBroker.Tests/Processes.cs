using System.ComponentModel;
using System.Diagnostics;

namespace RealtimeStreams.EmbeddedBroker.Tests;

/// <summary>What the system says about processes.</summary>
internal static class Processes
{
    private static readonly TimeSpan limit = TimeSpan.FromSeconds(20);

    /// <summary>Ends a process at once, as kill -9 does.</summary>
    public static void Kill(int id)
    {
        using var process = Process.GetProcessById(id);
        process.Kill();
    }

    /// <summary>Waits until a process is gone; fails when it stays.</summary>
    public static async Task AssertGoneAsync(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            using var deadline = new CancellationTokenSource(limit);
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (ArgumentException)
        {
            // It is gone already.
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"Process {id} is still there after {limit}.");
        }
    }

    /// <summary>The command lines of running processes, on Linux.</summary>
    public static IEnumerable<(int Id, string[] Arguments)> CommandLines()
    {
        foreach (var process in Process.GetProcesses())
        {
            using (process)
            {
                string[] arguments;
                try
                {
                    arguments = File.ReadAllText($"/proc/{process.Id}/cmdline").Split('\0');
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or Win32Exception)
                {
                    continue; // It ended meanwhile, or it is somebody else's.
                }

                yield return (process.Id, arguments);
            }
        }
    }
}
