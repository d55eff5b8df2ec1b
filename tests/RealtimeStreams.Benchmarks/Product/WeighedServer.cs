using System.Globalization;
using System.Reflection;

namespace RealtimeStreams.Benchmarks.Product;

/// <summary>
/// The server's own program, run inside a process of this one that can be asked for its managed memory: the server has no such door,
/// and a collector outside of it sees only what it last happened to report.
/// </summary>
internal static class WeighedServer
{
    /// <summary>The first argument that makes this program one; a line of it on its input asks for the weight.</summary>
    public const string Word = "weigh";

    private const string Answer = "managed bytes: ";

    public static async Task<int> RunAsync(string[] args)
    {
        var program = Assembly.Load("RealtimeStreams.Server").EntryPoint!;
        var serving = Task.Run(() => program.Invoke(null, [args]));
        while (await Console.In.ReadLineAsync() is { } line && !serving.IsCompleted)
            if (line == Word) Console.WriteLine(Answer + GC.GetTotalMemory(forceFullCollection: true).ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    public static bool TryRead(string line, out long bytes)
    {
        bytes = 0;
        return line.StartsWith(Answer, StringComparison.Ordinal)
            && long.TryParse(line.AsSpan(Answer.Length), NumberStyles.None, CultureInfo.InvariantCulture, out bytes);
    }
}
