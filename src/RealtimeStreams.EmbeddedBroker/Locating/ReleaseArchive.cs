using System.Formats.Tar;
using System.IO.Compression;
using System.Net.Sockets;
using System.Security.Cryptography;

using Microsoft.Extensions.Logging;

namespace RealtimeStreams.EmbeddedBroker.Locating;

/// <summary>The archive that the project publishes with a release, taken only if its SHA-256 is the pinned one.</summary>
internal sealed partial class ReleaseArchive(Uri releases, PinnedRelease? release, ILogger logger) : IServerSource
{
    public static readonly Uri OfficialReleases = new("https://github.com/nats-io/nats-server/releases/download/");

    // A machine that cannot reach it shall get on to the next source soon; one with a slow line shall get its 7 MB.
    private static readonly TimeSpan connectLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan downloadLimit = TimeSpan.FromMinutes(5);

    public string Name => $"official release ({releases.Host})";

    public async Task<string> FetchAsync(string folder, CancellationToken cancellationToken)
    {
        if (release is null)
            throw new ServerSourceException($"no SHA-256 is pinned for {PinnedRelease.ThisPlatform}, so nothing is downloaded for it");

        var archive = Path.Combine(folder, release.FileName);
        await DownloadAsync(release, archive, cancellationToken);
        try
        {
            return release.FileName.EndsWith(".zip", StringComparison.Ordinal)
                ? await UnzipAsync(archive, folder, cancellationToken)
                : await UntarAsync(archive, folder, cancellationToken);
        }
        catch (InvalidDataException exception)
        {
            throw new ServerSourceException($"{release.FileName} cannot be unpacked: {exception.Message}", exception);
        }
    }

    private async Task DownloadAsync(PinnedRelease release, string archive, CancellationToken cancellationToken)
    {
        var address = new Uri(releases, release.RelativeAddress);
        using var client = new HttpClient(new SocketsHttpHandler { ConnectTimeout = connectLimit }) { Timeout = Timeout.InfiniteTimeSpan };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(downloadLimit);
        try
        {
            using var response = await client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            if (!response.IsSuccessStatusCode) throw new ServerSourceException($"{address} answered {(int)response.StatusCode}");
            LogDownloading(address, response.Content.Headers.ContentLength / 1024);
            var digest = await SaveAsync(response, archive, limit.Token);
            if (!digest.Equals(release.Sha256, StringComparison.OrdinalIgnoreCase))
                throw new ServerSourceException($"{address} has the SHA-256 {digest}, and not the pinned {release.Sha256}: it was not used");
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException or HttpIOException)
        {
            throw new ServerSourceException($"{address} cannot be reached: {exception.Message}", exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ServerSourceException($"{address} took too long", exception);
        }
    }

    private async Task<string> SaveAsync(HttpResponseMessage response, string archive, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var from = await response.Content.ReadAsStreamAsync(cancellationToken);
        await using var to = new FileStream(archive, FileMode.CreateNew, FileAccess.Write);
        var buffer = new byte[81920];
        var (total, told) = (0L, 0);
        for (int read; (read = await from.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            hash.AppendData(buffer, 0, read);
            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            total += read;
            if (response.Content.Headers.ContentLength is not { } length || total * 4 / length <= told) continue;
            told = (int)(total * 4 / length);
            LogDownloaded(told * 25);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static async Task<string> UntarAsync(string archive, string folder, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(archive);
        await using var unzipped = new GZipStream(file, CompressionMode.Decompress);
        await using var tar = new TarReader(unzipped);
        while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
        {
            if (!IsExecutable(entry.Name)) continue;
            var path = Path.Combine(folder, Surroundings.ExecutableName);
            await entry.ExtractToFileAsync(path, overwrite: false, cancellationToken);
            return path;
        }

        throw new InvalidDataException("it holds no nats-server");
    }

    private static async Task<string> UnzipAsync(string archive, string folder, CancellationToken cancellationToken)
    {
        await using var zip = await ZipFile.OpenReadAsync(archive, cancellationToken);
        var entry = zip.Entries.FirstOrDefault(entry => IsExecutable(entry.FullName)) ?? throw new InvalidDataException("it holds no nats-server");
        var path = Path.Combine(folder, Surroundings.ExecutableName);
        await entry.ExtractToFileAsync(path, cancellationToken);
        return path;
    }

    private static bool IsExecutable(string name) => name.EndsWith($"/{Surroundings.ExecutableName}", StringComparison.Ordinal);

    [LoggerMessage(EventId = 1521, Level = LogLevel.Information, Message = "Downloading {Address} ({Size} KiB)")]
    private partial void LogDownloading(Uri address, long? size);

    [LoggerMessage(EventId = 1522, Level = LogLevel.Information, Message = "Downloaded {Percent} %")]
    private partial void LogDownloaded(int percent);
}
