using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Sdk.Json;

namespace RealtimeStreams.Sdk.Workers;

/// <summary>What all runs of a worker share.</summary>
internal sealed record RunServices(
    IRealtimeStreamsClient Client,
    IServiceScopeFactory Scopes,
    ChunkJson Json,
    TimeSpan Lease,
    TimeProvider Time,
    ILogger Logger,
    SdkTelemetry Telemetry);
