using System.Diagnostics;
using System.Globalization;

namespace RealtimeStreams.EmbeddedBroker.Running;

/// <summary>
/// On Linux and macOS: a shell that waits at the other end of a pipe. The kernel closes our end when this process ends, also by kill -9; then the
/// shell kills the child. (PR_SET_PDEATHSIG would be Linux's own way, but it follows the thread that forked, and .NET's threads come and go.)
/// </summary>
internal sealed class PipeGuard : IProcessGuard
{
    // The terminal's signals reach the whole group of processes: the guard must outlast them. A line lifts the guard; the end of the pipe does not.
    private const string Script = """trap "" HUP INT QUIT TERM; read -r lifted || kill -9 "$1" """;

    private readonly Process shell;

    public PipeGuard(Process child) =>
        shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Script, "realtimestreams-guard", child.Id.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            UseShellExecute = false,
        })!;

    public void Dispose()
    {
        try
        {
            shell.StandardInput.WriteLine("lifted");
            shell.StandardInput.Close();
        }
        catch (IOException)
        {
            // Somebody killed the shell: the guard is lifted already.
        }

        shell.Dispose();
    }
}
