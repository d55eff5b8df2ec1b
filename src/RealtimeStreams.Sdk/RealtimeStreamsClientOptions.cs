using System.Text.Json;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>How a client reaches its server, and how hard it tries.</summary>
/// <remarks>With <c>AddRealtimeStreams</c> they are bound from the configuration's section <see cref="Section"/>, thus also from environment
/// variables such as <c>RealtimeStreams__Client__BaseAddress</c>.</remarks>
public sealed class RealtimeStreamsClientOptions
{
    /// <summary>The configuration section that they are bound from.</summary>
    public const string Section = "RealtimeStreams:Client";

    /// <summary>The server's address, http or https; a path in it is kept. Required.</summary>
    public Uri? BaseAddress { get; set; }

    /// <summary>The environment's secret key. Required, unless there is an <see cref="AccessTokenProvider"/>. Goes into the <c>Authorization</c> header and nowhere else.</summary>
    public string? SecretKey { get; set; }

    /// <summary>Gives public access tokens, for programs that must not have the secret key. In place of <see cref="SecretKey"/>.</summary>
    /// <remarks>
    /// Asked when the first request is sent; again when a fifth of a token's time is left (at most 30 seconds; by its claims <c>exp</c> and <c>iat</c>, which
    /// are read and not believed); and when the server refuses it or ends a read because of it. All requests share one token and one call.
    /// Reads go on at their cursor. Its token is cancelled after <see cref="RequestTimeout"/>. What it throws ends what needed the token, with the code
    /// <see cref="RealtimeStreamsException.NoAccessToken"/>, unless the old token still lasts; a lost connection is tried again like any other.
    /// When the server refuses the token that replaces a refused one, the refusal (401) is final.
    /// </remarks>
    public Func<CancellationToken, ValueTask<string>>? AccessTokenProvider { get; set; }

    /// <summary>The streams version of runs that do not name one. Default: the server's, v2.</summary>
    public StreamsVersion? StreamsVersion { get; set; }

    /// <summary>How chunks are written and read whose definition has no contract of its own. Default: <see cref="JsonSerializerOptions.Web"/>.</summary>
    /// <remarks>Programs without reflection (native AOT) set its <see cref="JsonSerializerOptions.TypeInfoResolver"/> to a source-generated context.
    /// Texts, numbers, booleans, JSON elements and the types of Microsoft.Extensions.AI need none. Chunks are never indented.</remarks>
    public JsonSerializerOptions? SerializerOptions { get; set; }

    /// <summary>The most bytes that a pipe or writer holds until they are acknowledged, 4 KiB to 256 MiB; one larger chunk is let through alone.
    /// Default: 1 MiB. A full buffer slows the source.</summary>
    public int MaxBufferedBytes { get; set; } = 1024 * 1024;

    /// <summary>The most chunks that a pipe or writer holds until they are acknowledged, 1 to 1,000,000. Default: 4,096.</summary>
    public int MaxBufferedChunks { get; set; } = 4096;

    /// <summary>How long one try of a request other than a read may take, 100 milliseconds to 1 hour. Default: 30 seconds.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a read waits for a sign of life before it connects again, 100 milliseconds to 1 hour. Default: 45 seconds, three of the
    /// server's heartbeats.</summary>
    public TimeSpan ReadSilence { get; set; } = TimeSpan.FromSeconds(45);

    /// <summary>The wait before the first retry, 1 millisecond to 1 minute; each further one doubles it. Jitter takes up to half off. Default: 20 milliseconds.</summary>
    public TimeSpan MinBackoff { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The longest wait before a retry, <see cref="MinBackoff"/> to 1 hour, unless the server asks for a longer one. Default: 5 seconds.</summary>
    public TimeSpan MaxBackoff { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a write or a read goes on without any success before it fails, 0 to 1 day, or <see cref="Timeout.InfiniteTimeSpan"/>.
    /// Default: 5 minutes. 0: one try.</summary>
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromMinutes(5);
}
