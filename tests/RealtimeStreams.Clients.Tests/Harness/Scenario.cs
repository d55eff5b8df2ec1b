using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RealtimeStreams.Clients.Tests;

/// <summary>
/// One scenario in a Node process of its own: an exported function of a script in <c>node</c>. It gets its parameters as the first line of its input and
/// gives its result as the last line of its output, both JSON. In between it may say something, and be told something, when a test has to act in the middle.
/// </summary>
internal sealed class Scenario : IAsyncDisposable
{
    private const int KeptLines = 200;
    private static readonly TimeSpan defaultDeadline = TimeSpan.FromMinutes(2); // It only ends what hangs.

    private readonly string title;
    private readonly Process process;
    private readonly TimeSpan limit;
    private readonly CancellationTokenSource deadline;
    private readonly ConcurrentQueue<string> errors = new();
    private readonly List<(string What, JsonElement Value)> heard = [];

    private Scenario(string script, string name, IReadOnlyDictionary<string, string> environment, TimeSpan limit, CancellationToken cancellationToken)
    {
        title = $"{script} {name}";
        this.limit = limit;
        deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        process = new Process
        {
            StartInfo = new ProcessStartInfo("node", ["--no-warnings", "run.mjs", script, name])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = NodePackages.Folder,
            },
        };
        // Newer versions of Node keep what they have compiled, which makes the packages load in half the time.
        process.StartInfo.Environment["NODE_COMPILE_CACHE"] = Path.Combine(NodePackages.Folder, "node_modules", ".realtimestreams", "compiled");
        foreach (var (variable, value) in environment) process.StartInfo.Environment[variable] = value;
        process.ErrorDataReceived += (_, received) => Note(received.Data);
    }

    /// <summary>What the process printed to its error output, the newest lines.</summary>
    public string Errors => string.Join('\n', errors);

    /// <param name="script">The file in <c>node</c>, such as <c>trigger/streams.mjs</c>.</param>
    /// <param name="name">The function in it.</param>
    /// <param name="parameters">What it gets, as JSON.</param>
    /// <param name="environment">Environment variables of the process.</param>
    /// <param name="limit">How long it may take altogether. Default: 2 minutes.</param>
    public static Scenario Start(string script, string name, JsonNode parameters, IReadOnlyDictionary<string, string> environment, TimeSpan? limit = null)
    {
        var scenario = new Scenario(script, name, environment, limit ?? defaultDeadline, TestContext.Current.CancellationToken);
        scenario.process.Start();
        scenario.process.BeginErrorReadLine();
        scenario.deadline.CancelAfter(scenario.limit);
        scenario.Tell(parameters);
        return scenario;
    }

    /// <summary>Waits until the scenario says this, and returns what it says with it. What else it says meanwhile can be asked for later.</summary>
    public async Task<JsonElement> SaidAsync(string what)
    {
        if (heard.Find(saying => saying.What == what) is { What: not null } earlier)
        {
            heard.Remove(earlier);
            return earlier.Value;
        }
        while (true)
        {
            var line = await LineAsync();
            if (line.TryGetProperty("say", out var said))
            {
                if (said.GetString() == what) return line.GetProperty("value");
                heard.Add((said.GetString()!, line.GetProperty("value")));
            }
            if (line.TryGetProperty("result", out var result)) throw Failed($"ended without saying '{what}', with {result.GetRawText()}");
        }
    }

    /// <summary>Tells the scenario that it may go on.</summary>
    public void Tell(JsonNode? value = null)
    {
        process.StandardInput.WriteLine(value?.ToJsonString() ?? "null");
        process.StandardInput.Flush();
    }

    /// <summary>Waits for the end and returns the result.</summary>
    public async Task<JsonElement> ResultAsync()
    {
        while (true)
        {
            var line = await LineAsync();
            if (line.TryGetProperty("result", out var result)) return result;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
        deadline.Dispose();
    }

    private async Task<JsonElement> LineAsync()
    {
        string? line;
        try
        {
            line = await process.StandardOutput.ReadLineAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw Failed($"did not end within {limit.TotalSeconds} s");
        }

        if (line is null)
        {
            await process.WaitForExitAsync(deadline.Token);
            throw Failed($"ended with code {process.ExitCode} and no result");
        }
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement.Clone();
        if (!root.TryGetProperty("failed", out var failure)) return root;
        await process.WaitForExitAsync(deadline.Token); // Until then its error output may be on its way.
        throw Failed($"failed: {failure.GetString()}");
    }

    private InvalidOperationException Failed(string how) => new($"The scenario '{title}' {how}\n--- its error output:\n{Errors}");

    private void Note(string? line)
    {
        if (line is null) return;
        errors.Enqueue(line);
        while (errors.Count > KeptLines) errors.TryDequeue(out _);
    }
}
