using System.Diagnostics;
using System.Runtime.InteropServices;

namespace RealtimeStreams.AppHost.WithoutAspire;

/// <summary>The dotnet command that runs this process, wherever it is installed.</summary>
internal static class Dotnet
{
    // The runtime lies in shared/Microsoft.NETCore.App/<version> below the command.
    private static readonly string Command = Path.GetFullPath(Path.Combine(
        RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    /// <summary>A start of <c>dotnet</c> with these arguments, without a shell.</summary>
    public static ProcessStartInfo With(params IEnumerable<string> arguments) =>
        new(File.Exists(Command) ? Command : "dotnet", arguments) { UseShellExecute = false };
}
