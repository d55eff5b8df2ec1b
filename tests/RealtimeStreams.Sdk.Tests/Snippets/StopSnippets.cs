using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;

namespace RealtimeStreams.Sdk.Tests.Snippets;

/// <summary>The C# of docs/stop-and-input.md.</summary>
internal sealed class StopSnippets
{
    private static readonly RealtimeStream<Progress> progress = RealtimeStream.Define("progress", MyJson.Default.Progress);

    private static readonly RealtimeStream<Approval> approval = RealtimeStream.DefineInput<Approval>("approval");

    public static void TakeInput(IServiceCollection services)
    {
        services.AddRealtimeStreamsTask<Report>("report", async (run, report, cancellationToken) =>
        {
            await foreach (var value in run.Inputs(approval).WithCancellation(cancellationToken))
                if (value.Approved) break;
            // …
        });
    }

    public static async Task SendInputAsync(IRealtimeStreamsClient client, string runId)
    {
        await client.Runs.SendInputAsync(runId, approval, new Approval(true)); // Anywhere.
    }

    public static void Stop(IServiceCollection services)
    {
        services.AddRealtimeStreamsTask<Import>("import", async (run, import, cancellationToken) =>
        {
            progress.Pipe(ReadRowsAsync(import, run.Stopping));            // Stops with the run; what it gave is stored.
            try
            {
                await WorkAsync(import, cancellationToken);                // Cancelled when somebody asks. The receipt says `seen` by itself.
            }
            catch (OperationCanceledException) when (run.StopCause == RunStopCause.Requested)
            {
                await run.Streams.AppendAsync("log", $"Stopped: {run.StopRequest!.Reason}");
                throw;                                                     // Ends the run as cancelled. Returning would complete it.
            }
        });
    }

    public static async Task AskAsync(IRealtimeStreamsClient client, string runId)
    {
        var receipt = await client.Runs.StopAsync(runId, "wrong file");    // Anywhere.
        var stopped = await client.Runs.WaitForStopAsync(runId);           // …until it has stopped: Outcome, Streams with their last indexes.
    }

    private static async IAsyncEnumerable<Progress> ReadRowsAsync(Import import, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var done = 0;
        await foreach (var row in File.ReadLinesAsync(import.File, cancellationToken)) yield return new Progress(row, ++done);
    }

    private static Task<byte[]> WorkAsync(Import import, CancellationToken cancellationToken) => File.ReadAllBytesAsync(import.File, cancellationToken);
}
