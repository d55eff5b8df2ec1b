using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;

using Microsoft.Extensions.Logging.Testing;

using RealtimeStreams.EmbeddedBroker.Locating;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EmbeddedBroker.Tests;

public sealed class ReleaseArchiveTests : IDisposable
{
    private readonly TempFolder folder = new("release");
    private readonly HttpListener releases = new();
    private readonly Uri address = new($"http://127.0.0.1:{FreePort.Find()}/");

    public ReleaseArchiveTests()
    {
        releases.Prefixes.Add(address.AbsoluteUri);
        releases.Start();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        releases.Close();
        folder.Dispose();
    }

    [Theory]
    [InlineData("linux-amd64")]
    [InlineData("darwin-arm64")]
    public async Task The_executable_of_the_pinned_archive_is_unpacked(string platform)
    {
        var archive = Tar($"nats-server-v2.15.0-{platform}/nats-server");
        var serving = ServeOnceAsync(archive);

        var path = await Archive(platform, archive).FetchAsync(folder.FullPath, Token);

        Assert.Equal($"/v2.15.0/nats-server-v2.15.0-{platform}.tar.gz", await serving);
        Assert.Equal("the server", await File.ReadAllTextAsync(path, Token));
        if (!OperatingSystem.IsWindows()) Assert.True(File.GetUnixFileMode(path).HasFlag(UnixFileMode.UserExecute));
    }

    [Fact]
    public async Task The_executable_of_a_zip_archive_is_unpacked()
    {
        var archive = Zip($"nats-server-v2.15.0-windows-amd64/{Surroundings.ExecutableName}");
        var serving = ServeOnceAsync(archive);

        var path = await Archive("windows-amd64", archive).FetchAsync(folder.FullPath, Token);

        Assert.Equal("/v2.15.0/nats-server-v2.15.0-windows-amd64.zip", await serving);
        Assert.Equal("the server", await File.ReadAllTextAsync(path, Token));
    }

    [Fact]
    public async Task An_archive_with_another_digest_is_not_used()
    {
        var archive = Tar("nats-server-v2.15.0-linux-amd64/nats-server");
        var serving = ServeOnceAsync([.. archive, 0]);

        var exception = await Assert.ThrowsAsync<ServerSourceException>(() => Archive("linux-amd64", archive).FetchAsync(folder.FullPath, Token));

        await serving;
        Assert.Contains("and not the pinned", exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(folder[Surroundings.ExecutableName]));
    }

    [Fact]
    public async Task An_archive_without_a_server_is_refused()
    {
        var archive = Tar("nats-server-v2.15.0-linux-amd64/README.md");
        var serving = ServeOnceAsync(archive);

        var exception = await Assert.ThrowsAsync<ServerSourceException>(() => Archive("linux-amd64", archive).FetchAsync(folder.FullPath, Token));

        await serving;
        Assert.Contains("it holds no nats-server", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_release_that_is_not_there_is_a_reason()
    {
        var serving = ServeOnceAsync([], status: 404);

        var exception = await Assert.ThrowsAsync<ServerSourceException>(() => Archive("linux-amd64", []).FetchAsync(folder.FullPath, Token));

        await serving;
        Assert.EndsWith("answered 404", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_downloaded_for_a_platform_without_a_pinned_digest()
    {
        var source = new ReleaseArchive(address, null, new FakeLogger());

        var exception = await Assert.ThrowsAsync<ServerSourceException>(() => source.FetchAsync(folder.FullPath, Token));

        Assert.Contains("no SHA-256 is pinned", exception.Message, StringComparison.Ordinal);
    }

    private static byte[] Tar(string name)
    {
        var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest))
        using (var tar = new TarWriter(gzip))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = new MemoryStream("the server"u8.ToArray()),
                Mode = UnixFileMode.UserRead | UnixFileMode.UserExecute,
            });
        }

        return bytes.ToArray();
    }

    private static byte[] Zip(string name)
    {
        var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        using (var entry = zip.CreateEntry(name).Open())
            entry.Write(Encoding.UTF8.GetBytes("the server"));
        return bytes.ToArray();
    }

    private ReleaseArchive Archive(string platform, byte[] expected) =>
        new(address, new PinnedRelease(platform, "2.15.0", Convert.ToHexString(SHA256.HashData(expected))), new FakeLogger());

    private async Task<string> ServeOnceAsync(byte[] content, int status = 200)
    {
        var request = await releases.GetContextAsync();
        request.Response.StatusCode = status;
        request.Response.ContentLength64 = content.Length;
        await request.Response.OutputStream.WriteAsync(content, Token);
        request.Response.Close();
        return request.Request.Url!.AbsolutePath;
    }
}
