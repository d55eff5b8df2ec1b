using System.Diagnostics;

namespace RealtimeStreams.Testing;

/// <summary>The machine's PostgreSQL server, if it has one, and how to run it: it refuses to run as root.</summary>
internal sealed class PostgresBinaries
{
    private static readonly Lazy<PostgresBinaries?> found = new(Find);

    private readonly string directory;
    private readonly string[] runAs;

    private PostgresBinaries(string directory, string[] runAs, string? user)
    {
        this.directory = directory;
        this.runAs = runAs;
        User = user;
    }

    /// <summary>Those of this machine; null when it has none that can be run here.</summary>
    public static PostgresBinaries? Found => found.Value;

    /// <summary>Who runs them, when that is not the user of the tests.</summary>
    public string? User { get; }

    /// <summary>The words that run one of them.</summary>
    public IReadOnlyList<string> Command(string binary, params ReadOnlySpan<string> arguments) =>
        [.. runAs, Path.Combine(directory, binary), .. arguments];

    /// <summary>Runs one of them to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message holds what it said.</exception>
    public async Task RunAsync(string folder, string binary, string[] arguments, CancellationToken cancellationToken)
    {
        using var process = Process.Start(Describe(folder, Command(binary, arguments)))!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{binary} failed: {await errors}{await output}");
    }

    public static ProcessStartInfo Describe(string folder, IReadOnlyList<string> command)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = folder, // The tests' own may be closed to the other user.
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C"; // What it logs is waited for.
        return start;
    }

    private static PostgresBinaries? Find()
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return null;
        if (FindDirectory() is not { } directory) return null;
        if (!Environment.IsPrivilegedProcess) return new PostgresBinaries(directory, [], user: null);
        foreach (var user in (string[])["postgres", "nobody"])
            if (Ask("setpriv", "--version") is not null && Ask("id", "-g", user) is { } group)
                return new PostgresBinaries(directory, ["setpriv", $"--reuid={user}", $"--regid={group}", "--clear-groups", "--"], user);
        return null;
    }

    private static string? FindDirectory()
    {
        // Newest first, where distributions, Homebrew and the makers' own packages put them.
        string[] roots = ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt", "/Library/PostgreSQL"];
        var usual = roots.Where(Directory.Exists)
            .SelectMany(root => Directory.EnumerateDirectories(root))
            .OrderByDescending(folder => Path.GetFileName(folder), StringComparer.Create(System.Globalization.CultureInfo.InvariantCulture, System.Globalization.CompareOptions.NumericOrdering))
            .Select(folder => Path.Combine(folder, "bin"));
        string?[] candidates =
            [.. Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator) ?? [], Ask("pg_config", "--bindir"), .. usual];
        return candidates.FirstOrDefault(folder =>
            !string.IsNullOrEmpty(folder) && ((string[])["initdb", "postgres", "createdb"]).All(binary => File.Exists(Path.Combine(folder, binary))));
    }

    private static string? Ask(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var answer = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0 ? answer : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // There is no such command.
        }
    }
}
