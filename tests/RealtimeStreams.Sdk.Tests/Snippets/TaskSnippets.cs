using Microsoft.Extensions.AI;
using Microsoft.Extensions.Hosting;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk.Tests.Snippets;

// Somewhere that writers and readers share. No connection, keep it static.
public static class MyStreams
{
    public static readonly RealtimeStream<ChatResponseUpdate> Answer = RealtimeStream.Define<ChatResponseUpdate>("answer");
    public static readonly RealtimeStream<Progress> Progress = RealtimeStream.Define("progress", MyJson.Default.Progress);
    public static readonly RealtimeStream<Row> Rows = RealtimeStream.Define<Row>("rows");
}

// A worker. Inside a run a definition needs no client and no run id: the run that is going on flows with the code.
public sealed class Worker(IRealtimeStreamsClient client, IChatClient chat) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        client.Runs.RunAsync(new RegisterRun(TaskId: "answer"), async (run, cancellationToken) =>
        {
            await MyStreams.Progress.AppendAsync(new Progress("started", 0), cancellationToken: cancellationToken);
            var pipe = MyStreams.Answer.Pipe(chat.GetStreamingResponseAsync("Why is the sky blue?", cancellationToken: cancellationToken));
            await foreach (var update in pipe.Stream) Console.Write(update);    // If wanted, here as well.
            var receipt = await pipe.WaitUntilCompleteAsync(cancellationToken); // All is stored.
        }, cancellationToken: stoppingToken);
}

/// <summary>The C# of the documentation, as the compiler takes it.</summary>
internal static class TaskSnippets
{
    public static void AddClient(IHostApplicationBuilder builder)
    {
        // Program.cs. Options come from RealtimeStreams:Client (RealtimeStreams__Client__BaseAddress, RealtimeStreams__Client__SecretKey), or here.
        builder.Services.AddRealtimeStreams();
    }

    public static void AddTasks(IHostApplicationBuilder builder)
    {
        builder.Services.AddRealtimeStreams();
        builder.Services.AddRealtimeStreamsTask<Import, ImportResult>("import", async (run, import, cancellationToken) =>
        {
            var rows = await MyStreams.Rows.Pipe(ReadAsync(import.File), cancellationToken: cancellationToken).WaitUntilCompleteAsync(cancellationToken);
            return new ImportResult(rows.Chunks); // The run's output; it ends as completed.
        });
        builder.Services.AddRealtimeStreamsTask<Mail, MailTask>("mail"); // A class from dependency injection, IRealtimeStreamsTask<Mail>, a scope a run.
    }

    public static async Task TriggerAsync(IRealtimeStreamsClient client)
    {
        // Anywhere else:
        var run = await client.Runs.TriggerAsync("import", new Import("a.csv"));        // Its streams can be read from now on.
        var rows = client.Streams.ReadAsync(MyStreams.Rows, run.Id);
        var end = await client.Runs.GetAsync(run.Id);                                   // Status, Phase, Attempt, Output, Error.
    }

    public static async Task ReadAsync(IRealtimeStreamsClient client, string runId)
    {
        // Anywhere: read from any index, live, until the stream ends.
        var read = client.Streams.ReadAsync(MyStreams.Answer, runId, new ReadOptions { StartIndex = 10, Timeout = TimeSpan.FromMinutes(1) });
        await foreach (var update in read) Console.Write(update);
        Console.WriteLine($"{read.Ending}, {read.Outcome}, goes on at {read.NextIndex}");
    }

    public static async Task TourAsync(IRealtimeStreamsClient client, string runId)
    {
        var rows = RealtimeStream.Define("rows", TourJson.Default.RowsImported); // Shared by whoever writes and whoever reads.

        // The worker: a run that pipes any IAsyncEnumerable<T>, also IAsyncEnumerable<ChatResponseUpdate>.
        await client.Runs.RunAsync(new RegisterRun(TaskId: "import"), async (run, cancellationToken) =>
        {
            var pipe = rows.Pipe(ImportAsync(), cancellationToken: cancellationToken); // Returns at once.
            await pipe.WaitUntilCompleteAsync(cancellationToken);                      // All is stored.
        });

        // The reader: from the beginning, live, over lost connections, until the stream ends.
        await foreach (var (index, chunk) in client.Streams.ReadAsync(rows, runId).Items)
            Console.WriteLine($"{index}: {chunk.Count} rows");
    }

    private static IAsyncEnumerable<Row> ReadAsync(string file) => File.ReadLinesAsync(file).Select(line => new Row(line));

    private static IAsyncEnumerable<RowsImported> ImportAsync() => AsyncEnumerable.Range(1, 5).Select(part => new RowsImported(100 * part));
}
