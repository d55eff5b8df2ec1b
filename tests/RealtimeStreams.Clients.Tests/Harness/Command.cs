using System.ComponentModel;
using System.Diagnostics;

namespace RealtimeStreams.Clients.Tests;

/// <summary>What a program that was run to its end came to.</summary>
internal sealed record Command(int ExitCode, string Output, string Error)
{
    /// <summary>Runs a program to its end; after the limit it is ended and an exception thrown.</summary>
    /// <returns>Null if there is no such program.</returns>
    public static async Task<Command?> RunAsync(string program, IEnumerable<string> arguments, string folder, TimeSpan limit)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                RedirectStandardInput = true,
                WorkingDirectory = folder,
            },
        };
        try
        {
            process.Start();
        }
        catch (Win32Exception)
        {
            return null;
        }

        process.StandardInput.Close();
        using var ending = new CancellationTokenSource(limit);
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(ending.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"'{program}' did not end within {limit.TotalSeconds} s:\n{await output}\n{await error}");
        }
        return new Command(process.ExitCode, await output, await error);
    }
}
