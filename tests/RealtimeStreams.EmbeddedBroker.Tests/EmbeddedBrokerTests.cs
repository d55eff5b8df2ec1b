using Microsoft.Extensions.Logging;

using RealtimeStreams.Testing;

namespace RealtimeStreams.EmbeddedBroker.Tests;

public sealed class EmbeddedBrokerTests : IDisposable
{
    private static readonly TimeSpan limit = TimeSpan.FromSeconds(30);
    private readonly TempFolder data = new("embedded");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => data.Dispose();

    [Fact]
    public async Task A_started_host_has_a_broker_that_lets_in_who_has_the_credentials_and_nobody_else()
    {
        await using var host = await BrokerUnderTest.StartAsync(data.FullPath);
        var address = await host.Broker.GetAddressAsync(Token);

        var (greeting, answer) = await RawNats.LogInAsync(address.Url, Token);
        Assert.StartsWith("INFO ", greeting, StringComparison.Ordinal);
        Assert.Contains("\"jetstream\":true", greeting, StringComparison.Ordinal);
        Assert.Contains("\"max_payload\":2097152", greeting, StringComparison.Ordinal);
        Assert.Equal("PONG", answer);

        var anonymous = await RawNats.LogInAsync(address.ToString(), Token);
        Assert.Contains("Authorization Violation", anonymous.Answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("200ms", "\"sync_interval\": 200000000")]
    [InlineData("always", "\"sync_always\": true")]
    public async Task Its_monitoring_tells_the_sync_interval_that_was_configured(string configured, string told)
    {
        await using var host = await BrokerUnderTest.StartAsync(data.FullPath, ("RealtimeStreams:Broker:SyncInterval", configured));
        var address = await host.Broker.GetAddressAsync(Token);

        using var http = new HttpClient();
        var answer = await http.GetStringAsync(new Uri(address.Monitoring, "jsz?config=true"), Token);

        Assert.Contains(told, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_killed_broker_comes_back_with_the_same_address_and_credentials()
    {
        await using var host = await BrokerUnderTest.StartAsync(data.FullPath);
        var address = await host.Broker.GetAddressAsync(Token);

        // Twice: the first restart is at once, the second after a delay.
        for (var round = 0; round < 2; round++)
        {
            var killed = host.Broker.ProcessId!.Value;
            Processes.Kill(killed);
            await WaitForAnswerAsync(address.Url);

            Assert.Equal(address, await host.Broker.GetAddressAsync(Token));
            // It answers a moment before the supervisor has noted that it does.
            await Until.TrueAsync(() => "The broker that answers is not noted.", () => host.Broker.ProcessId is { } id && id != killed);
            var restarts = round + 1;
            await Until.TrueAsync(
                () => $"Not {restarts} restarts were logged.", () => host.Log.GetSnapshot().Count(record => record.Id.Id == 1543) == restarts);
        }
    }

    [Fact]
    public async Task A_stopped_host_leaves_no_process()
    {
        await using var host = await BrokerUnderTest.StartAsync(data.FullPath);
        var id = host.Broker.ProcessId!.Value;

        await host.StopAsync();

        Assert.Null(host.Broker.ProcessId);
        await Processes.AssertGoneAsync(id);
        Assert.DoesNotContain(host.Log.GetSnapshot(), record => record.Id.Id == 1543); // It was not taken for a crash.
    }

    [Fact]
    public async Task A_host_that_is_disposed_without_being_stopped_leaves_no_process()
    {
        var host = await BrokerUnderTest.StartAsync(data.FullPath);
        var id = host.Broker.ProcessId!.Value;

        await host.DisposeAsync();

        await Processes.AssertGoneAsync(id);
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_directory_is_refused_with_what_to_do()
    {
        await using var first = await BrokerUnderTest.StartAsync(data.FullPath);

        var exception = await Assert.ThrowsAsync<EmbeddedBrokerException>(() => BrokerUnderTest.StartAsync(data.FullPath));

        Assert.Contains($"Another server already uses the data directory {data.FullPath}", exception.Message, StringComparison.Ordinal);
        Assert.Contains("RealtimeStreams:DataDirectory", exception.Message, StringComparison.Ordinal);
        Assert.Equal("PONG", (await RawNats.LogInAsync((await first.Broker.GetAddressAsync(Token)).Url, Token)).Answer);
    }

    [Fact]
    public async Task The_data_directory_is_free_again_after_a_stop()
    {
        await using (await BrokerUnderTest.StartAsync(data.FullPath))
        {
        }

        await using var second = await BrokerUnderTest.StartAsync(data.FullPath);
        Assert.NotNull(second.Broker.ProcessId);
    }

    [Fact]
    public async Task The_password_is_in_no_command_line_and_no_log_and_in_a_file_of_this_user_only()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        await using var host = await BrokerUnderTest.StartAsync(data.FullPath);
        var address = await host.Broker.GetAddressAsync(Token);
        var password = new Uri(address.Url).UserInfo.Split(':')[1];

        Assert.Contains(Processes.CommandLines(), process => process.Id == host.Broker.ProcessId); // Else the next line would say nothing.
        Assert.DoesNotContain(Processes.CommandLines(), process => process.Arguments.Any(argument => argument.Contains(password, StringComparison.Ordinal)));
        Assert.DoesNotContain(host.Log.GetSnapshot(), record => record.Message.Contains(password, StringComparison.Ordinal));
        Assert.DoesNotContain(password, address.ToString(), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(data["broker", "nats-server.conf"]));
    }

    [Fact]
    public async Task A_server_that_does_not_start_says_what_the_server_said()
    {
        Directory.CreateDirectory(data["broker"]);
        await File.WriteAllTextAsync(data["broker", "jetstream"], "A file where the store's folder should be.", Token);

        var exception = await Assert.ThrowsAsync<EmbeddedBrokerException>(() => BrokerUnderTest.StartAsync(data.FullPath));

        Assert.Contains("ended with code 1 instead of starting", exception.Message, StringComparison.Ordinal);
        Assert.Contains("not a directory", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_goes_as_it_should_is_not_logged_above_information()
    {
        await using (var host = await BrokerUnderTest.StartAsync(data.FullPath))
        {
            await host.StopAsync();
            Assert.Empty(host.Log.GetSnapshot().Where(record => record.Level > LogLevel.Information).Select(record => record.Message));
            Assert.Contains(host.Log.GetSnapshot(), record => record.Message.Contains("Server is ready", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("RealtimeStreams:Broker:SyncInterval", "often")]
    [InlineData("RealtimeStreams:Broker:SyncInterval", "1s\" } evil {")]
    [InlineData("RealtimeStreams:Broker:MaxStoreBytes", "1")]
    [InlineData("RealtimeStreams:Broker:StartTimeout", "00:00:00")]
    public async Task A_setting_out_of_range_stops_the_start(string key, string value)
    {
        var exception = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(
            () => BrokerUnderTest.StartAsync(data.FullPath, (key, value)));

        Assert.Contains(key.Split(':')[^1], exception.Message, StringComparison.Ordinal);
    }

    private static Task WaitForAnswerAsync(string url) => Until.TrueAsync(
        () => "The broker does not answer.",
        async () =>
        {
            try
            {
                return (await RawNats.LogInAsync(url, Token)).Answer == "PONG";
            }
            catch (Exception exception) when (exception is IOException or System.Net.Sockets.SocketException)
            {
                return false;
            }
        },
        limit);
}
