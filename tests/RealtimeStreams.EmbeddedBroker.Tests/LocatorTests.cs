using Microsoft.Extensions.Logging.Testing;

using RealtimeStreams.EmbeddedBroker.Locating;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EmbeddedBroker.Tests;

public sealed class LocatorTests : IDisposable
{
    private readonly TempFolder folder = new("locator");
    private readonly FakeLogger<NatsServerLocator> log = new();

    public LocatorTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "The servers are shell scripts that say a version.");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_configured_executable_is_used_before_all_others()
    {
        var configured = MakeServer("mine", "2.14.0", "my-server");
        MakeServer("path", "2.15.0");

        var found = await Locator(configured).FindAsync(Token);

        Assert.Equal(new NatsServerExecutable(configured, new Version(2, 14, 0)), found);
    }

    [Theory]
    [InlineData("missing", null, "does not exist")]
    [InlineData("old", "2.11.9", "is version 2.11.9, which is older than 2.12")]
    public async Task A_configured_executable_that_will_not_do_is_an_error_though_another_is_there(string name, string? version, string reason)
    {
        MakeServer("path", "2.15.0");
        var configured = version is null ? folder[name] : MakeServer(name, version);

        var exception = await Assert.ThrowsAsync<NatsServerNotFoundException>(() => Locator(configured).FindAsync(Token));

        Assert.Contains("RealtimeStreams:NatsServerPath", exception.Message, StringComparison.Ordinal);
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_installed_server_that_is_too_old_is_passed_over_for_the_next_one()
    {
        MakeServer("path", "2.9.25");
        var next = MakeServer("sbin", "2.12.0");

        var found = await Locator().FindAsync(Token);

        Assert.Equal(next, found.Path);
        Assert.Contains(log.Collector.GetSnapshot(), record => record.Message.Contains("2.9.25", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_that_is_still_being_written_is_asked_for_its_version_when_it_is_done()
    {
        var server = MakeServer("path", "2.15.0");
        Task<NatsServerExecutable> finding;
        await using (new FileStream(server, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            finding = Locator().FindAsync(Token);
            await Task.WhenAny(finding, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Token));
        }

        Assert.Equal(server, (await finding).Path);
    }

    [Fact]
    public async Task The_newest_usable_server_of_the_tool_folder_is_used()
    {
        MakeServer("tools/nats-server-2.11.0", "2.11.0");
        var newest = MakeServer("tools/nats-server-2.15.1", "2.15.1");
        MakeServer("tools/nats-server-2.9.0", "2.9.0");
        var damaged = MakeServer("tools/nats-server-2.16.0", "2.16.0");
        await File.WriteAllTextAsync(damaged, "#!/bin/sh\nexit 3\n", Token);

        Assert.Equal(newest, (await Locator().FindAsync(Token)).Path);
    }

    [Fact]
    public async Task A_server_that_is_nowhere_is_fetched_once_and_found_from_then_on()
    {
        var source = new MadeUpSource("2.15.0");

        var fetched = await Locator(sources: source).FindAsync(Token);
        var found = await Locator(sources: source).FindAsync(Token);

        Assert.Equal(folder["tools", "nats-server-2.15.0", "nats-server"], fetched.Path);
        Assert.Equal(fetched, found);
        Assert.Equal(1, source.Fetched);
        Assert.Equal(["fetch.lock", "nats-server-2.15.0"], Directory.GetFileSystemEntries(folder["tools"]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Several_that_need_it_at_once_fetch_it_once()
    {
        var source = new MadeUpSource("2.15.0");

        var found = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Locator(sources: source).FindAsync(Token), Token)));

        Assert.Single(found.Distinct());
        Assert.Equal(1, source.Fetched);
    }

    [Fact]
    public async Task A_damaged_fetched_server_is_fetched_again()
    {
        var damaged = MakeServer("tools/nats-server-2.15.0", "2.15.0");
        await File.WriteAllTextAsync(damaged, "#!/bin/sh\nexit 3\n", Token);

        var fetched = await Locator(sources: new MadeUpSource("2.15.0")).FindAsync(Token);

        Assert.Equal(damaged, fetched.Path);
    }

    [Fact]
    public async Task The_next_source_is_asked_when_one_fails_or_gives_an_old_server()
    {
        var last = new MadeUpSource("2.15.0");

        var fetched = await Locator(sources: [new ReleaseArchive(ReleaseArchive.OfficialReleases, null, log), new MadeUpSource("2.10.0"), last]).FindAsync(Token);

        Assert.Equal(new Version(2, 15, 0), fetched.Version);
        Assert.Equal(1, last.Fetched);
    }

    [Fact]
    public async Task When_all_ways_fail_the_message_names_them_and_says_what_to_do()
    {
        MakeServer("path", "2.9.25");

        var exception = await Assert.ThrowsAsync<NatsServerNotFoundException>(() => Locator(
            sources: [new ReleaseArchive(new Uri("http://127.0.0.1:1/"), PinnedRelease.OfThisPlatform, log), new MadeUpSource("2.10.0")]).FindAsync(Token));

        string[] expected =
        [
            "is version 2.9.25, which is older than 2.12",
            $"fetched earlier: none in {folder["tools"]}",
            "official release (127.0.0.1): http://127.0.0.1:1/",
            "cannot be reached",
            "made up: ",
            "RealtimeStreams:NatsServerPath",
            "ConnectionStrings:nats",
        ];
        Assert.All(expected, part => Assert.Contains(part, exception.Message, StringComparison.Ordinal));
        Assert.Equal(["fetch.lock"], Directory.GetFileSystemEntries(folder["tools"]).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("nats-server: v2.15.1\n", "2.15.1")]
    [InlineData("nats-server: v2.12.0-RC.3\n", "2.12.0")]
    [InlineData("nats-server: 2.12.0\r\n", "2.12.0")]
    [InlineData("nats-streaming-server: v2.15.1\n", null)]
    [InlineData("nats-server: v2.15\n", null)]
    [InlineData("nats-server: v99999999999999.1.1\n", null)]
    [InlineData("", null)]
    public void A_version_is_read_from_what_the_server_says(string said, string? version)
    {
        Assert.Equal(version is not null, ServerVersion.TryParse(said, out var parsed));
        Assert.Equal(version, parsed?.ToString());
    }

    private string MakeServer(string place, string version, string name = "nats-server")
    {
        Directory.CreateDirectory(folder[place]);
        return MadeUpSource.MakeServer(Path.Combine(folder[place], name), version);
    }

    private NatsServerLocator Locator(string? configured = null, params IServerSource[] sources) => new(
        configured, new Surroundings([folder["path"], folder["sbin"], folder["nothing"]], folder["tools"]), sources, TimeProvider.System, log);
}

/// <summary>A source that makes a server which can only say its version: for the locator, which asks no more of it.</summary>
internal sealed class MadeUpSource(string version) : IServerSource
{
    private int fetched;

    public string Name => "made up";

    public int Fetched => fetched;

    public Task<string> FetchAsync(string folder, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref fetched);
        return Task.FromResult(MakeServer(Path.Combine(folder, "downloaded"), version));
    }

    public static string MakeServer(string path, string version)
    {
        File.WriteAllText(path, $"#!/bin/sh\necho 'nats-server: v{version}'\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
