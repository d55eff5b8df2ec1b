using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.ChunkLog.Forwarding;

namespace RealtimeStreams.ChunkLog.Tests;

public sealed class NodeDirectoryTests
{
    private readonly FakeTimeProvider clock = new();
    private readonly Words words = new();

    [Fact]
    public void A_word_that_was_under_way_when_its_node_left_does_not_bring_it_back()
    {
        using var directory = new NodeDirectory(words, clock);
        words.Say("one");
        words.Say("other");

        words.Say("-one");
        words.Say("one");

        Assert.Equal(["other"], directory.FindLiving());
        Assert.All(Enumerable.Range(0, 100), stream => Assert.NotEqual("one", directory.OwnerOf($"rs.00.{stream}")));
    }

    [Fact]
    public void A_node_that_says_nothing_for_a_lifetime_does_not_live_any_more_until_it_says_something()
    {
        using var directory = new NodeDirectory(words, clock);
        words.Say("one");

        clock.Advance(NodeDirectory.Lifetime + TimeSpan.FromMilliseconds(1));
        Assert.DoesNotContain("one", directory.FindLiving());
        words.Say("one");

        Assert.Contains("one", directory.FindLiving());
    }

    /// <summary>What nodes say, in the order in which the test has it heard.</summary>
    private sealed class Words : INodeMessages
    {
        private Action<string>? onWord;

        public void Say(string word) => onWord!(word);

        public ValueTask PublishAsync(string topic, string message, CancellationToken cancellationToken) => ValueTask.CompletedTask; // The node's own are not heard.

        public IDisposable Subscribe(string topic, Action<string> onMessage)
        {
            onWord = onMessage;
            return new MemoryStream();
        }
    }
}
