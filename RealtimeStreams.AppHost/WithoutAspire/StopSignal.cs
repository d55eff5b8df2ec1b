using System.Diagnostics;
using System.Runtime.InteropServices;

namespace RealtimeStreams.AppHost.WithoutAspire;

/// <summary>
/// Ctrl+C, a polite request to end, or the death of the <c>dotnet run</c> that started this process, as a token. The process then
/// ends by itself, after its children.
/// </summary>
internal sealed class StopSignal : IDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource source = new();
    private readonly PosixSignalRegistration[] registrations;
    private readonly Timer? watch;

    public StopSignal()
    {
        PosixSignal[] signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT];
        registrations = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, Stop))];

        // A killed dotnet run takes its child along on Windows (a job object), and leaves it behind elsewhere.
        if (!OperatingSystem.IsWindows() && Signals.ParentId() is var parent && IsDotnet(parent))
            watch = new Timer(_ => StopIfOrphaned(parent), null, Beat, Beat);
    }

    public CancellationToken Token => source.Token;

    public void Dispose()
    {
        watch?.Dispose();
        foreach (var registration in registrations)
            registration.Dispose();
        source.Dispose();
    }

    private static bool IsDotnet(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return process.ProcessName == "dotnet";
        }
        catch (ArgumentException)
        {
            return false; // Gone already, or not visible from here.
        }
    }

    private void StopIfOrphaned(int parent)
    {
        if (Signals.ParentId() != parent)
            source.Cancel();
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        source.Cancel();
    }
}
