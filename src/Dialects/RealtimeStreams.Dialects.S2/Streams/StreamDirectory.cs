using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Records;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Streams;

/// <summary>A stream that is there.</summary>
/// <param name="Address">Where its chunks are.</param>
/// <param name="Config">Its configuration.</param>
/// <param name="OfRun">Whether it is a run's.</param>
internal sealed record StreamTarget(StreamAddress Address, StreamConfig Config, bool OfRun)
{
    /// <summary>What appends of a call must be like.</summary>
    public BatchRules RulesFor(Call call) =>
        new(Config.Mode, Config.Uncapped, Unwraps: OfRun, MayTrim: call.Allows(Operation.Trim), MayFence: call.Allows(Operation.Fence));
}

/// <summary>Finds streams by their names: those of runs, and those that stand outside of them.</summary>
internal sealed class StreamDirectory(IRunRegistry runs, INamedStreams streams, IRetention retention)
{
    private const string ConfigHeader = "s2-stream-config";

    /// <summary>How long an environment's chunks are kept at most.</summary>
    public TimeSpan RetentionOf(EnvironmentId environment) => retention.Of(environment);

    /// <summary>How long a stream's chunks are kept at most, whatever its own configuration says.</summary>
    public async ValueTask<TimeSpan> RetentionOfAsync(StreamTarget target, CancellationToken cancellationToken) =>
        target.OfRun && await runs.FindBriefAsync(target.Address.Environment, target.Address.Run, cancellationToken) is { } run
            ? retention.Of(target.Address.Environment, run)
            : retention.Of(target.Address.Environment);

    /// <summary>The stream, made if it is not there: what is written or read comes into being. A run must be registered.</summary>
    public async ValueTask<(StreamTarget? Target, S2Error? Error)> OpenAsync(HttpContext context, Call call)
    {
        var name = call.Stream!;
        if (name.Run is { } run) return await FindOfRunAsync(call.Environment, run, name.Key, context.RequestAborted);
        if (await streams.FindAsync(call.Environment, name.Text, context.RequestAborted) is { } found) return (TargetOf(found), null);
        if (!call.Allows(Operation.CreateStream)) return (null, NotFound(name));
        if (ReadHeader(call.Environment, context.Request.Headers, out var config) is { } error) return (null, error);
        return await streams.EnsureAsync(call.Environment, name.Text, config.Stored(), config.Age, context.RequestAborted) switch
        {
            NamedStreamOutcome.Made made => (TargetOf(made.Stream), null),
            NamedStreamOutcome.Taken taken => (TargetOf(taken.Stream), null),
            NamedStreamOutcome.Refused refused => (null, S2Errors.From(refused.Refusal)),
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>The stream, if it is there.</summary>
    public async ValueTask<(StreamTarget? Target, S2Error? Error)> FindAsync(Call call, CancellationToken cancellationToken)
    {
        var name = call.Stream!;
        if (name.Run is { } run) return await FindOfRunAsync(call.Environment, run, name.Key, cancellationToken);
        return await streams.FindAsync(call.Environment, name.Text, cancellationToken) is { } found ? (TargetOf(found), null) : (null, NotFound(name));
    }

    /// <summary>The error for a stream that is not there.</summary>
    public static S2Error NotFound(StreamName name) => S2Error.StreamNotFound($"There is no stream {name.Text}.");

    /// <summary>The run's stream, if the run is registered. The stream begins with its first record.</summary>
    public async ValueTask<(StreamTarget? Target, S2Error? Error)> FindOfRunAsync(
        EnvironmentId environment, RunId run, StreamKey key, CancellationToken cancellationToken) =>
        await runs.FindFamilyAsync(environment, run, cancellationToken) is null
            ? (null, S2Error.StreamNotFound($"There is no run {run}, of which this would be a stream. Register the run first."))
            : (new StreamTarget(new StreamAddress(environment, run, key), StreamConfig.Default, OfRun: true), null);

    private static StreamTarget TargetOf(NamedStream stream) => new(stream.Address, StreamConfig.Load(stream.Config), OfRun: false);

    private S2Error? ReadHeader(EnvironmentId environment, IHeaderDictionary headers, out StreamConfig config)
    {
        config = StreamConfig.Default;
        if (headers[ConfigHeader] is not { Count: > 0 } text) return null;
        try
        {
            using var json = JsonDocument.Parse(text.ToString());
            return StreamConfig.Default.TryChange(json.RootElement, RetentionOf(environment), out config);
        }
        catch (JsonException)
        {
            return S2Error.BadHeader($"The header {ConfigHeader} is not JSON.");
        }
    }
}
