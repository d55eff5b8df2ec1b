using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RealtimeStreams.Sdk.Access;
using RealtimeStreams.Sdk.Http;
using RealtimeStreams.Sdk.Json;
using RealtimeStreams.Sdk.Runs;
using RealtimeStreams.Sdk.Writing;

namespace RealtimeStreams.Sdk;

/// <summary>The client. Made directly, or by <c>AddRealtimeStreams</c> in dependency injection.</summary>
public sealed class RealtimeStreamsClient : IRealtimeStreamsClient, IDisposable
{
    private readonly HttpClient? ownHttp;
    private readonly SdkTelemetry telemetry;

    /// <summary>Makes a client.</summary>
    /// <param name="options">Where the server is and how hard to try. Read once.</param>
    /// <param name="httpClient">Sends the requests, and stays the caller's. Its own timeout should be infinite, as reads last. Default: one of the client's own.</param>
    /// <param name="loggerFactory">Default: no logs.</param>
    /// <param name="timeProvider">The clock of timeouts and waits. Default: the system's.</param>
    /// <param name="meterFactory">Makes the meter. Default: a meter of the client's own, also named <c>RealtimeStreams.Sdk</c>.</param>
    /// <exception cref="OptionsValidationException">An option is missing or out of its range.</exception>
    public RealtimeStreamsClient(
        RealtimeStreamsClientOptions options,
        HttpClient? httpClient = null,
        ILoggerFactory? loggerFactory = null,
        TimeProvider? timeProvider = null,
        IMeterFactory? meterFactory = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = ClientSettings.FindFaults(options).ToList();
        if (faults.Count > 0) throw new OptionsValidationException(nameof(RealtimeStreamsClientOptions), typeof(RealtimeStreamsClientOptions), faults);
        if (httpClient is null) httpClient = ownHttp = new HttpClient(HttpDefaults.CreateHandler()) { Timeout = Timeout.InfiniteTimeSpan };
        telemetry = new SdkTelemetry(meterFactory);
        var logger = (loggerFactory ?? NullLoggerFactory.Instance).CreateLogger("RealtimeStreams.Sdk");
        var transport = new Transport(httpClient, options, timeProvider ?? TimeProvider.System, logger, telemetry);
        var json = new ChunkJson(options.SerializerOptions);
        Streams = new StreamOperations(transport, json);
        Runs = new RunOperations(transport, json, this);
        Tokens = new TokenOperations(transport);
    }

    /// <inheritdoc />
    public IStreams Streams { get; }

    /// <inheritdoc />
    public IRuns Runs { get; }

    /// <inheritdoc />
    public ITokens Tokens { get; }

    /// <summary>Closes the connections that the client opened itself. What is still being written or read fails.</summary>
    public void Dispose()
    {
        ownHttp?.Dispose();
        telemetry.Dispose();
    }
}
