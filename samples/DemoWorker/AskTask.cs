using System.Text;
using DemoWorker.Chat;
using Microsoft.Extensions.AI;
using RealtimeStreams.Sdk;

namespace DemoWorker;

/// <summary>What a triggered run is given.</summary>
/// <param name="Question">What to ask; the sample's own question when absent.</param>
internal sealed record Ask(string? Question = null);

/// <summary>What a triggered run gives.</summary>
/// <param name="Text">The whole answer.</param>
/// <param name="Chunks">How many chunks of it were streamed.</param>
internal sealed record Reply(string Text, long Chunks);

/// <summary>A task that others trigger: streams an answer while it comes, and gives the whole of it as the run's output.</summary>
internal sealed class AskTask(DemoChat chat) : IRealtimeStreamsTask<Ask?, Reply>
{
    public const string Id = "demo-ask";

    public async Task<Reply> RunAsync(RunContext run, Ask? payload, CancellationToken cancellationToken)
    {
        var question = payload?.Question ?? chat.Question;
        await DemoStreams.Log.AppendAsync($"Asking {chat.Description}, attempt {run.Attempt}: {question}", cancellationToken: cancellationToken);
        var answer = DemoStreams.Answer.Pipe(
            chat.Client.GetStreamingResponseAsync([new ChatMessage(ChatRole.User, question)], cancellationToken: cancellationToken), cancellationToken: cancellationToken);
        var text = new StringBuilder();
        await foreach (var update in answer.Stream.WithCancellation(cancellationToken)) text.Append(update.Text);
        var receipt = await answer.WaitUntilCompleteAsync(cancellationToken);
        return new Reply(text.ToString(), receipt.Chunks);
    }
}
