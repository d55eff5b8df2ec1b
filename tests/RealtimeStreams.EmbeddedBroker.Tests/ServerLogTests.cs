using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

using RealtimeStreams.EmbeddedBroker.Running;

namespace RealtimeStreams.EmbeddedBroker.Tests;

public class ServerLogTests
{
    [Theory]
    [InlineData("[71] [INF] Server is ready", LogLevel.Debug, "Server is ready")]
    [InlineData("[71] [WRN] Filestore is full", LogLevel.Warning, "Filestore is full")]
    [InlineData("[71] [ERR] Something broke", LogLevel.Error, "Something broke")]
    [InlineData("[71] [FTL] Cannot start", LogLevel.Error, "Cannot start")]
    [InlineData("panic: no more", LogLevel.Warning, "panic: no more")]
    [InlineData("[71] [WRN] Plaintext passwords detected, use nkeys or bcrypt", LogLevel.Debug, "Plaintext passwords detected, use nkeys or bcrypt")]
    public void A_line_of_the_server_is_logged_at_its_level(string line, LogLevel level, string text)
    {
        var logger = new FakeLogger();

        new ServerLog(logger).Write(line);

        Assert.Equal(level, logger.LatestRecord.Level);
        Assert.Equal($"nats-server: {text}", logger.LatestRecord.Message);
    }

    [Fact]
    public void Only_the_last_20_lines_are_kept()
    {
        var log = new ServerLog(new FakeLogger());

        for (var line = 1; line <= 100; line++) log.Write($"[71] [INF] line {line}.");

        Assert.DoesNotContain("line 80.", log.LastLines, StringComparison.Ordinal);
        Assert.Contains("line 81.", log.LastLines, StringComparison.Ordinal);
        Assert.Contains("line 100.", log.LastLines, StringComparison.Ordinal);
    }
}
