using System.Diagnostics;
using System.Globalization;

namespace RealtimeStreams.AppHost.WithoutAspire;

/// <summary>
/// Whether Aspire can be had by now: this stand-in was built because its packages were not on this machine. Asks the package
/// sources with the same probe as a build of the solution, and remembers a "no" in the same file.
/// </summary>
internal static class AspirePackages
{
    private const string DayFormat = "yyyy-MM-dd";

    // Set for the real host, so that a host that still comes out as the stand-in does not hand over for ever.
    private const string HandedOver = "REALTIMESTREAMS_HANDED_OVER";
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private static readonly string RefusalFile = Path.Combine(Repository.Root, ".aspire-unavailable");

    /// <summary>Runs the real host to its end where Aspire can be had, and returns its exit code; null where it cannot.</summary>
    public static async Task<int?> TryHandOverAsync(Arguments arguments, CancellationToken cancellationToken)
    {
        var wanted = arguments.All.Contains("--operation");
        var version = Repository.Built("AspireVersion");
        if (Environment.GetEnvironmentVariable(HandedOver) is not null || !await CanBeHadAsync(version, arguments.AskForAspire, cancellationToken))
        {
            return wanted
                ? throw new StackException($"Publishing is done by Aspire {version}, which no package source of this machine has.")
                : null;
        }

        await Console.Out.WriteLineAsync($"Aspire {version} has been restored: building and starting the real host …".AsMemory(), cancellationToken);
        var hostArguments = arguments.All.Where(argument => argument != "--ask-for-aspire");
        var start = Dotnet.With(["run", "--project", Path.Combine(Repository.Root, "RealtimeStreams.AppHost"), "--", .. hostArguments]);
        start.Environment[HandedOver] = "true";
        using var host = Process.Start(start)!;
        using var stopping = cancellationToken.UnsafeRegister(_ => Signals.Terminate(host), null);
        await host.WaitForExitAsync(CancellationToken.None); // Asked to stop, it stops its parts first.
        return host.ExitCode;
    }

    private static async Task<bool> CanBeHadAsync(string version, bool askAgain, CancellationToken cancellationToken)
    {
        if (Repository.Built("AspireDecidedByHand") == "true" || (!askAgain && IsRefused()))
            return false;

        await Console.Out.WriteLineAsync($"Asking the package sources for Aspire {version} …".AsMemory(), cancellationToken);
        var probe = Dotnet.With("restore", Path.Combine(Repository.Root, "eng", "AspireProbe", "AspireProbe.csproj"));
        probe.RedirectStandardOutput = probe.RedirectStandardError = true;
        using var process = Process.Start(probe)!;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        try
        {
            // Why not is of no interest here; both are read so that a full pipe cannot hold the probe up.
            await Task.WhenAll(process.StandardOutput.ReadToEndAsync(deadline.Token), process.StandardError.ReadToEndAsync(deadline.Token));
            await process.WaitForExitAsync(deadline.Token);
            if (process.ExitCode == 0)
            {
                File.Delete(RefusalFile);
                return true;
            }
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
        }

        var again = TimeProvider.System.GetUtcNow().AddDays(7).ToString(DayFormat, CultureInfo.InvariantCulture);
        await File.WriteAllTextAsync(RefusalFile, again + Environment.NewLine, cancellationToken);
        await Console.Out.WriteLineAsync(
            $"They do not have it: going on without. Asked again from {again} on, or with -- --ask-for-aspire.".AsMemory(), cancellationToken);
        return false;
    }

    private static bool IsRefused() =>
        File.Exists(RefusalFile)
        && DateTimeOffset.TryParseExact(
            File.ReadAllText(RefusalFile).Trim(), DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var again)
        && TimeProvider.System.GetUtcNow() < again;
}
