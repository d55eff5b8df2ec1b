using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using RealtimeStreams.Clients.Tests;

[assembly: AssemblyFixture(typeof(NodePackages))]
// Scenarios wait more than they work: for timeouts that they test, for a client's pause before it tries again.
[assembly: Xunit.v3.Parallelization(MaxThreads = 4)]

namespace RealtimeStreams.Clients.Tests;

/// <summary>
/// Node and the packages of <c>node/package-lock.json</c>, installed by npm from whatever registry the machine is configured for: once, and again when the
/// lock file changes. A machine without Node skips these tests; an install that fails makes them fail, saying what npm said.
/// </summary>
public sealed class NodePackages : IAsyncLifetime
{
    private const int LowestNode = 20;
    private static readonly TimeSpan installLimit = TimeSpan.FromMinutes(5);

    private string? missing;

    /// <summary>The folder of the scenarios and of <c>node_modules</c>.</summary>
    public static string Folder { get; } = PathOf("NodeFolder");

    /// <summary>The version of Node, for what not every one can; 0.0 where there is none.</summary>
    public Version Version { get; private set; } = new(0, 0);

    private static string Installed => Path.Combine(Folder, "node_modules");

    private static string Stamp => Path.Combine(Installed, ".realtimestreams", "lock");

    /// <summary>Skips the test where there is no Node to run it.</summary>
    public void Require()
    {
        if (missing is not null) Assert.Skip(missing);
    }

    public async ValueTask InitializeAsync()
    {
        missing = await FindNodeAsync();
        if (missing is null) await InstallAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<string?> FindNodeAsync()
    {
        var found = await Command.RunAsync("node", ["--version"], Folder, TimeSpan.FromSeconds(30));
        if (found is null) return $"Node.js {LowestNode} or newer is not installed: there is no 'node' on the PATH.";
        if (!Version.TryParse(found.Output.Trim().TrimStart('v'), out var version)) return $"'node --version' printed '{found.Output.Trim()}'.";
        Version = version;
        return version.Major >= LowestNode ? null : $"Node.js {LowestNode} or newer is needed, and 'node' is {version}.";
    }

    private static async Task InstallAsync()
    {
        var wanted = Fingerprint();
        // Another test run on this machine may be installing: one does it, the others find it done.
        await using var alone = await LockAsync(Path.Combine(Folder, ".installing"));
        if (!File.Exists(Stamp) || await File.ReadAllTextAsync(Stamp) != wanted)
        {
            // It removes node_modules first, so that the stamp is there only when all the rest is.
            var npm = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
            var result = await Command.RunAsync(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], Folder, installLimit)
                ?? throw new InvalidOperationException("Node is there, but no 'npm' on the PATH: the packages of the tests cannot be installed.");
            if (result.ExitCode != 0)
            {
                throw new InvalidOperationException(string.Create(
                    CultureInfo.InvariantCulture, $"'npm ci' in {Folder} ended with {result.ExitCode}:\n{result.Output}\n{result.Error}"));
            }
            Directory.CreateDirectory(Path.GetDirectoryName(Stamp)!);
            await File.WriteAllTextAsync(Stamp, wanted);
        }

        // What the documentation tells users to copy is what the scenarios use. Beside node_modules it would not find the packages.
        foreach (var folder in new[] { "trigger", "s2" })
        {
            var copies = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(Stamp)!, folder)).FullName;
            foreach (var sample in Directory.EnumerateFiles(Path.Combine(PathOf("SamplesFolder"), folder), "*.mjs"))
                File.Copy(sample, Path.Combine(copies, Path.GetFileName(sample)), overwrite: true);
        }
    }

    private static async Task<FileStream> LockAsync(string path)
    {
        using var limit = new CancellationTokenSource(installLimit);
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (!limit.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        }
    }

    private static string Fingerprint() =>
        string.Join(' ', new[] { "package.json", "package-lock.json" }.Select(name => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(Folder, name))))));

    private static string PathOf(string name) =>
        Path.GetFullPath(typeof(NodePackages).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == name).Value!);
}
