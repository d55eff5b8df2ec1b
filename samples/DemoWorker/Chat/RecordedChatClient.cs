using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace DemoWorker.Chat;

/// <summary>Answers every question with a recording, as slowly as that was recorded.</summary>
internal sealed class RecordedChatClient(Recording recording, TimeProvider time) : IChatClient
{
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var response = Guid.NewGuid().ToString("N");
        foreach (var recorded in recording.Updates)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(recorded.AfterMs), time, cancellationToken);
            yield return new ChatResponseUpdate(ChatRole.Assistant, recorded.Text)
            {
                ResponseId = response,
                MessageId = response,
                ModelId = recording.Model,
                CreatedAt = time.GetUtcNow(),
            };
        }

        yield return new ChatResponseUpdate
        {
            Role = ChatRole.Assistant,
            ResponseId = response,
            MessageId = response,
            ModelId = recording.Model,
            CreatedAt = time.GetUtcNow(),
            FinishReason = ChatFinishReason.Stop,
        };
    }

    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
        // Holds nothing.
    }
}
