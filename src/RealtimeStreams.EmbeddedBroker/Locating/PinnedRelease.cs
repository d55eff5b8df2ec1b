using System.Runtime.InteropServices;

namespace RealtimeStreams.EmbeddedBroker.Locating;

/// <summary>
/// An official release archive and its SHA-256, as the release's own <c>SHA256SUMS</c> lists it. A platform without a row here is not
/// downloaded for: a digest that is not known cannot be checked. To add or renew one: take the line of the archive from
/// <c>https://github.com/nats-io/nats-server/releases/download/vVERSION/SHA256SUMS</c>, and run the locator once without a cache.
/// </summary>
/// <param name="Platform">What the release calls the platform, such as <c>linux-amd64</c>.</param>
/// <param name="Version">The release's version, without the v.</param>
/// <param name="Sha256">The archive's digest, in hexadecimal.</param>
internal sealed record PinnedRelease(string Platform, string Version, string Sha256)
{
    // Each digest was seen in two sources that had checked it independently (packagers' manifests, the official container images' build
    // files, pinned downloads of other projects), but that of windows-arm64, which only a packager's manifest has.
    private static readonly PinnedRelease[] all =
    [
        new("linux-amd64", "2.15.0", "5d2c51caca950333aba84911df7d377f826f3a59ec36061c6539105084f65c92"),
        new("linux-arm64", "2.15.0", "cdc208f5a3f42963a52b6ab06ef65626bb870315dc936e26ba571780c6351112"),
        new("darwin-amd64", "2.15.0", "5bd8b59ca5bf93fab3da2c5843cf564cd6e2e291e22ae3b861746e7ebe259b95"),
        new("darwin-arm64", "2.15.0", "e1c4e22d70bd44abfa0bcb3c16f7cf0c66f648c2e728c58924e8a1ce88913cc8"),
        new("windows-amd64", "2.14.7", "ef6b4604cc84cd37192e6407ce1bb975f380a5293dccfdb126eaf11311c58ac6"),
        new("windows-arm64", "2.14.7", "783903719e550953d2993620c2f932fbb00c25ca238a7a19b77a5855374d11c9"),
    ];

    public static PinnedRelease? OfThisPlatform => all.FirstOrDefault(release => release.Platform == ThisPlatform);

    public static string ThisPlatform { get; } = $"{SystemName()}-{ArchitectureName()}";

    private bool IsZip => Platform.StartsWith("windows-", StringComparison.Ordinal);

    /// <summary>The archive's file name.</summary>
    public string FileName => $"nats-server-v{Version}-{Platform}{(IsZip ? ".zip" : ".tar.gz")}";

    /// <summary>The archive's address below that of the releases.</summary>
    public string RelativeAddress => $"v{Version}/{FileName}";

    private static string SystemName() =>
        OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : OperatingSystem.IsLinux() ? "linux" : "other";

    private static string ArchitectureName() => RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.Arm64 => "arm64",
        var other => other.ToString(),
    };
}
