using DemoWorker.Chat;
using Microsoft.Extensions.AI;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;

namespace DemoWorker;

/// <summary>
/// The work itself: a run that asks a question, and within it a run that answers. The inner one streams the answer to itself, its
/// progress to the root and log lines to its parent.
/// </summary>
internal sealed class AnswerTask(IRealtimeStreamsClient client, DemoChat chat, TimeProvider time)
{
    private const int UpdatesPerProgress = 10;

    public static string AnswerRunOf(string run) => run + "-answer";

    public Task RunAsync(string run, CancellationToken cancellationToken) =>
        client.Runs.RunAsync(
            new RegisterRun(run, "demo", Tags: ["demo"]),
            async (_, stopping) =>
            {
                await DemoStreams.Log.AppendAsync($"Asking {chat.Description}: {chat.Question}", cancellationToken: stopping);
                await client.Runs.RunAsync(new RegisterRun(AnswerRunOf(run), "demo-answer", Tags: ["demo"]), AnswerAsync, cancellationToken: stopping);
                await DemoStreams.Progress.AppendAsync(new Progress("done", 0, 0), cancellationToken: stopping);
            },
            cancellationToken: cancellationToken);

    private async Task AnswerAsync(RunContext run, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var answer = DemoStreams.Answer.Pipe(
            chat.Client.GetStreamingResponseAsync(chat.Question, cancellationToken: cancellationToken),
            cancellationToken: cancellationToken);
        var progress = DemoStreams.Progress.Writer(
            writer => ReportAsync(answer.Stream, writer, began, cancellationToken),
            new PipeOptions { Target = StreamTarget.Root },
            cancellationToken);

        await progress.WaitUntilCompleteAsync(cancellationToken);
        var receipt = await answer.WaitUntilCompleteAsync(cancellationToken);
        await LogAsync($"Answered in {time.GetElapsedTime(began).TotalSeconds:0.0} s, {receipt.Chunks} chunks stored.", cancellationToken);
    }

    // Follows the answer on its way out, so that the source is read once for both streams.
    private async Task ReportAsync(
        IAsyncEnumerable<ChatResponseUpdate> answer, StreamWriter<Progress> progress, long began, CancellationToken cancellationToken)
    {
        var updates = 0;
        var characters = 0;
        await foreach (var update in answer.WithCancellation(cancellationToken))
        {
            characters += update.Text.Length;
            if (updates++ == 0)
                await LogAsync($"First update after {time.GetElapsedTime(began).TotalSeconds:0.0} s.", cancellationToken);
            if (updates % UpdatesPerProgress == 0)
                await progress.WriteAsync(new Progress("answering", updates, characters), cancellationToken);
        }

        await progress.WriteAsync(new Progress("answered", updates, characters), cancellationToken);
    }

    private static Task<AppendReceipt> LogAsync(string line, CancellationToken cancellationToken) =>
        DemoStreams.Log.AppendAsync(line, new AppendOptions { Target = StreamTarget.Parent }, cancellationToken);
}
