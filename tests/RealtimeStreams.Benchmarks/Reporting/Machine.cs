using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;

namespace RealtimeStreams.Benchmarks.Reporting;

/// <summary>Where a run took place.</summary>
/// <param name="Cores">Logical processors that this process may use.</param>
/// <param name="Processor">The processor's name, where the system tells it.</param>
/// <param name="MemoryGiB">Memory that this process may use.</param>
/// <param name="System">The operating system.</param>
/// <param name="Runtime">The .NET version.</param>
/// <param name="Collector">The garbage collector's mode, in the benchmark and, by its project file, in the server.</param>
/// <param name="NatsServer">The broker's version.</param>
/// <param name="LoadBefore">The load average of the minute before, where the system tells it: work that is not ours.</param>
/// <param name="Date">When the run began.</param>
internal sealed record Machine(
    int Cores,
    string? Processor,
    double MemoryGiB,
    string System,
    string Runtime,
    string Collector,
    string NatsServer,
    double? LoadBefore,
    DateTimeOffset Date)
{
    public static Machine Describe(string natsServer) => new(
        Environment.ProcessorCount,
        FindProcessor(),
        Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024.0 / 1024 / 1024, 1),
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        $"{(GCSettings.IsServerGC ? "server" : "workstation")}, {(GCSettings.LatencyMode == GCLatencyMode.Batch ? "not concurrent" : "concurrent")}",
        natsServer,
        FindLoad(),
        TimeProvider.System.GetUtcNow());

    private static string? FindProcessor() =>
        File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
            : null;

    private static double? FindLoad() =>
        File.Exists("/proc/loadavg") ? double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture) : null;
}
