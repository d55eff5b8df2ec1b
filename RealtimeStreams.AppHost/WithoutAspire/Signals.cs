using System.Diagnostics;
using System.Runtime.InteropServices;

namespace RealtimeStreams.AppHost.WithoutAspire;

/// <summary>What Linux and macOS know about processes and .NET does not offer.</summary>
internal static class Signals
{
    private const int Sigterm = 15; // The same on Linux and macOS.

    /// <summary>Asks another process to end, where the operating system knows such a request.</summary>
    public static void Terminate(Process process)
    {
        if (OperatingSystem.IsWindows())
            return; // Ctrl+C has reached every process of the console by itself.
        if (!process.HasExited)
            _ = Kill(process.Id, Sigterm);
    }

    /// <summary>Who started this process, or who took it over when that one died.</summary>
    [DllImport("libc", EntryPoint = "getppid")]
    public static extern int ParentId();

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int processId, int signal);
}
