using System.Diagnostics;

namespace RealtimeStreams.EmbeddedBroker.Running;

/// <summary>Sees to it that a child process does not outlive this one, however this one ends. Disposing lifts the guard.</summary>
internal interface IProcessGuard : IDisposable
{
    /// <summary>Guards a child.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The system refused.</exception>
    static IProcessGuard Over(Process child) => OperatingSystem.IsWindows() ? new JobObjectGuard(child) : new PipeGuard(child);
}
