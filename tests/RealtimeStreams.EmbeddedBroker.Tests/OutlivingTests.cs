using System.Diagnostics;

using RealtimeStreams.Testing;

namespace RealtimeStreams.EmbeddedBroker.Tests;

/// <summary>What is left of the broker when the process that started it ends in each of the ways it can.</summary>
public sealed class OutlivingTests : IDisposable
{
    private readonly TempFolder data = new("outliving");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => data.Dispose();

    [Fact]
    public async Task A_host_killed_with_kill_9_takes_its_broker_along()
    {
        using var host = await StartHostAsync();

        host.Process.Kill();

        await Processes.AssertGoneAsync(host.BrokerId);
    }

    [Fact]
    public async Task A_host_asked_to_end_ends_its_broker()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Sends SIGTERM.");
        using var host = await StartHostAsync();

        using var kill = Process.Start("kill", ["-TERM", $"{host.Process.Id}"]);
        await host.Process.WaitForExitAsync(Token);

        await Processes.AssertGoneAsync(host.BrokerId);
    }

    [Fact]
    public async Task The_next_host_on_the_data_directory_of_a_killed_one_starts()
    {
        using (var first = await StartHostAsync())
        {
            first.Process.Kill();
            await first.Process.WaitForExitAsync(Token);
        }

        using var second = await StartHostAsync();

        Assert.Equal("PONG", (await RawNats.LogInAsync(second.Url, Token)).Answer);
    }

    [Fact]
    public async Task A_broker_that_outlived_its_host_all_the_same_is_ended_by_the_next_one()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Finds the guard in /proc.");
        using var first = await StartHostAsync();
        var guard = Assert.Single(
            Processes.CommandLines(), process => process.Arguments is [.., "realtimestreams-guard", var guarded, ""] && guarded == $"{first.BrokerId}");
        Processes.Kill(guard.Id);
        first.Process.Kill();
        await first.Process.WaitForExitAsync(Token);
        Assert.Equal("PONG", (await RawNats.LogInAsync(first.Url, Token)).Answer); // An orphan indeed.

        await using var second = await BrokerUnderTest.StartAsync(data.FullPath);

        await Processes.AssertGoneAsync(first.BrokerId);
        Assert.Contains(second.Log.GetSnapshot(), record => record.Id.Id == 1546);
    }

    [Fact]
    public async Task A_stranger_with_the_process_id_of_a_broker_that_was_is_left_alone()
    {
        Directory.CreateDirectory(data["broker"]);
        using var self = Process.GetCurrentProcess();
        await File.WriteAllTextAsync(data["broker", "nats-server.pid"], $"{self.Id} {self.StartTime.ToUniversalTime().Ticks}", Token);

        await using var host = await BrokerUnderTest.StartAsync(data.FullPath);

        Assert.DoesNotContain(host.Log.GetSnapshot(), record => record.Id.Id == 1546);
    }

    private async Task<RunningHost> StartHostAsync()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "RealtimeStreams.EmbeddedBroker.TestHost.dll");
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet", [program])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["RealtimeStreams__DataDirectory"] = data.FullPath;
        var process = Process.Start(start)!;
        var line = await process.StandardOutput.ReadLineAsync(Token);
        if (line?.Split(' ') is not [var broker, var url])
        {
            process.Kill();
            throw new InvalidOperationException($"The host said: {line}");
        }

        return new RunningHost(process, int.Parse(broker, System.Globalization.CultureInfo.InvariantCulture), url);
    }

    private sealed record RunningHost(Process Process, int BrokerId, string Url) : IDisposable
    {
        public void Dispose()
        {
            if (!Process.HasExited) Process.Kill();
            Process.Dispose();
        }
    }
}
