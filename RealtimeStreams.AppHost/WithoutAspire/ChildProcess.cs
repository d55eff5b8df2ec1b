using System.Diagnostics;

namespace RealtimeStreams.AppHost.WithoutAspire;

/// <summary>
/// A child whose lines appear behind its name, and that ends with this process: it stops when its standard input ends
/// (ServiceDefaults:StopWhenInputCloses), which the operating system sees to even if this process is killed.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Process process;

    private ChildProcess(string name, Process process)
    {
        Name = name;
        this.process = process;
    }

    public string Name { get; }

    public bool HasEnded => process.HasExited;

    public static ChildProcess Start(string name, string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        if (!File.Exists(program))
            throw new StackException($"{program} is missing. Build it first: dotnet build RealtimeStreams.AppHost");

        var start = Dotnet.With([program, .. arguments]);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.Environment["ServiceDefaults__StopWhenInputCloses"] = "true";
        start.Environment["DOTNET_CONTENTROOT"] = Path.GetDirectoryName(program); // Where its settings lie, not where this was started.
        start.Environment["Logging__Console__FormatterName"] = "simple";
        start.Environment["Logging__Console__FormatterOptions__SingleLine"] = "true";
        start.Environment.Remove("ASPNETCORE_URLS"); // This host's, from its launch profile.
        foreach (var (key, value) in environment)
            start.Environment[key] = value;

        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Forward(Console.Out, line.Data);
        process.ErrorDataReceived += (_, line) => Forward(Console.Error, line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new ChildProcess(name, process);

        void Forward(TextWriter to, string? line)
        {
            if (line is not null)
                to.WriteLine($"{name,-6} | {line}");
        }
    }

    /// <summary>Returns once it has ended.</summary>
    public async Task<int> WaitForEndAsync(CancellationToken cancellationToken)
    {
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode;
    }

    /// <summary>Asks it to stop, and waits; ends it with all that it started if it does not.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            process.StandardInput.Close();
            using var patience = new CancellationTokenSource(Patience);
            await process.WaitForExitAsync(patience.Token);
        }
        catch (IOException)
        {
            await process.WaitForExitAsync(CancellationToken.None); // The pipe is broken because the child is gone.
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"{Name} did not stop within {Patience.TotalSeconds:0} seconds and is killed.");
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
    }
}
