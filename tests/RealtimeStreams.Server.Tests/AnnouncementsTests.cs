using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;
using RealtimeStreams.Server.Hosting;

namespace RealtimeStreams.Server.Tests;

public sealed class AnnouncementsTests
{
    private static readonly EnvironmentId Environment = EnvironmentId.Parse("ä/env");

    private static readonly RunId Run = RunId.Parse("run 1/€");

    private readonly Wire wire = new();

    [Theory]
    [InlineData(RegistryChangeKind.Changed, null)]
    [InlineData(RegistryChangeKind.Progressed, null)]
    [InlineData(RegistryChangeKind.Triggered, "send mail/ä")]
    public async Task A_change_arrives_as_it_was_told(RegistryChangeKind kind, string? task)
    {
        List<RegistryChange> heard = [];
        var announcements = new Announcements(wire);
        using var subscription = announcements.Subscribe(heard.Add);
        var change = new RegistryChange(kind, Environment, Run, task);

        await announcements.PublishAsync(change, TestContext.Current.CancellationToken);

        Assert.Equal([change], heard);
    }

    [Theory]
    [InlineData(RegistryChangeKind.CredentialsChanged)]
    [InlineData(RegistryChangeKind.TokensRevoked)]
    public async Task A_change_of_credentials_is_of_no_run(RegistryChangeKind kind)
    {
        List<RegistryChange> heard = [];
        var announcements = new Announcements(wire);
        using var subscription = announcements.Subscribe(heard.Add);
        var change = new RegistryChange(kind, Environment, default);

        await announcements.PublishAsync(change, TestContext.Current.CancellationToken);

        Assert.Equal([change], heard);
    }

    [Theory]
    [InlineData("")]
    [InlineData("env\nrun")]
    [InlineData("env\nrun\n0")]
    [InlineData("env\nrun\n9\n")]
    [InlineData("env\nrun\n-1\n")]
    [InlineData("env\nrun\nx\n")]
    [InlineData("\nrun\n0\n")]
    [InlineData("env\nself\n0\n")]
    [InlineData("env\nrun\n0\n\n")]
    [InlineData("env\n\n0\n")]
    [InlineData("env\nrun\n3\n")]
    [InlineData("env\nrun\n4\n")]
    public async Task What_is_no_announcement_is_not_heard(string message)
    {
        List<RegistryChange> heard = [];
        using var subscription = new Announcements(wire).Subscribe(heard.Add);

        await wire.PublishAsync("run-changed", message, TestContext.Current.CancellationToken);

        Assert.Empty(heard);
    }

    /// <summary>Hands each message to all subscribers of its topic at once.</summary>
    private sealed class Wire : INodeMessages
    {
        private readonly List<(string Topic, Action<string> OnMessage)> subscribers = [];

        public ValueTask PublishAsync(string topic, string message, CancellationToken cancellationToken)
        {
            foreach (var (subscribed, onMessage) in subscribers)
                if (subscribed == topic) onMessage(message);
            return ValueTask.CompletedTask;
        }

        public IDisposable Subscribe(string topic, Action<string> onMessage)
        {
            subscribers.Add((topic, onMessage));
            return new MemoryStream();
        }
    }
}
