using System.Diagnostics;
using System.Text;
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
    public BatchRules RulesFor(Call call) => RulesOf(Config, OfRun, call);

    internal static BatchRules RulesOf(StreamConfig config, bool ofRun, Call call) =>
        new(config.Mode, config.Uncapped, Unwraps: ofRun, MayTrim: call.Allows(Operation.Trim), MayFence: call.Allows(Operation.Fence));
}

/// <summary>A stream that is there, or what one will be that is still to be made: it stands outside of runs.</summary>
/// <param name="Found">The stream; null while it is still to be made.</param>
/// <param name="Config">Its configuration.</param>
internal sealed record StreamPlan(StreamTarget? Found, StreamConfig Config)
{
    /// <inheritdoc cref="StreamTarget.RulesFor" />
    public BatchRules RulesFor(Call call) => StreamTarget.RulesOf(Config, Found is { OfRun: true }, call);
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
        var (plan, error) = await PlanAsync(context, call);
        return error is null ? await OpenAsync(call, plan!, context.RequestAborted) : (null, error);
    }

    /// <summary>What <see cref="OpenAsync(HttpContext, Call)"/> would open. Nothing is made yet, so that a request can still turn out to be wrong.</summary>
    public async ValueTask<(StreamPlan? Plan, S2Error? Error)> PlanAsync(HttpContext context, Call call)
    {
        var (found, missing) = await FindAsync(call, context.RequestAborted);
        if (found is not null) return (new StreamPlan(found, found.Config), null);
        if (call.Stream!.Run is not null || !call.Allows(Operation.CreateStream)) return (null, missing);
        return ReadHeader(call.Environment, context.Request.Headers, out var config) is { } error ? (null, error) : (new StreamPlan(null, config), null);
    }

    /// <summary>The stream of a plan, made if it was not there.</summary>
    public async ValueTask<(StreamTarget? Target, S2Error? Error)> OpenAsync(Call call, StreamPlan plan, CancellationToken cancellationToken)
    {
        if (plan.Found is { } found) return (found, null);
        return await streams.EnsureAsync(call.Environment, call.Stream!.Text, plan.Config.Stored(), plan.Config.Age, cancellationToken) switch
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
        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        if (!JsonStrings.AreText(bytes)) return S2Error.BadHeader($"A string in the header {ConfigHeader} holds half a character (a surrogate without its partner).");
        try
        {
            using var json = JsonDocument.Parse(bytes);
            return StreamConfig.Default.TryChange(json.RootElement, RetentionOf(environment), out config);
        }
        catch (JsonException)
        {
            return S2Error.BadHeader($"The header {ConfigHeader} is not JSON.");
        }
    }
}
