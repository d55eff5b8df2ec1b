using DemoWorker.Chat;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace DemoWorker.Tests;

public sealed class RecordedChatClientTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);
    private readonly FakeTimeProvider time = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_recording_is_replayed_with_its_timing()
    {
        var recording = Recording.Load();
        using var client = new RecordedChatClient(recording, time);
        await using var answer = client.GetStreamingResponseAsync("Why?", cancellationToken: Cancelled).GetAsyncEnumerator(Cancelled);

        foreach (var recorded in recording.Updates)
        {
            var next = answer.MoveNextAsync().AsTask();
            time.Advance(TimeSpan.FromMilliseconds(recorded.AfterMs) - Moment);
            Assert.False(next.IsCompleted, $"'{recorded.Text}' came before its time.");

            time.Advance(Moment);
            Assert.True(await next.WaitAsync(Cancelled));
            Assert.Equal(recorded.Text, answer.Current.Text);
            Assert.Equal(ChatRole.Assistant, answer.Current.Role);
        }

        Assert.True(await answer.MoveNextAsync());
        Assert.Equal(ChatFinishReason.Stop, answer.Current.FinishReason);
        Assert.False(await answer.MoveNextAsync());
    }

    [Fact]
    public async Task An_answer_that_is_not_wanted_any_more_stops()
    {
        using var client = new RecordedChatClient(Recording.Load(), time);
        using var source = new CancellationTokenSource();
        await using var answer = client.GetStreamingResponseAsync("Why?", cancellationToken: source.Token).GetAsyncEnumerator(source.Token);
        var first = answer.MoveNextAsync().AsTask();

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Cancelled));
    }

    [Fact]
    public void The_shipped_recording_is_long_enough_to_be_watched()
    {
        var recording = Recording.Load();

        Assert.InRange(recording.Updates.Count, 200, 400);
        Assert.InRange(recording.Updates.Sum(update => update.AfterMs), 15_000, 29_000);
        Assert.All(recording.Updates, update => Assert.True(update.AfterMs >= 1 && update.Text.Length > 0));
    }
}
