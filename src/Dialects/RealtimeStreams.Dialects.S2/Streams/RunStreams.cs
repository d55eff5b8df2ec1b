using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Streams;

/// <summary>Creates and ensures streams of runs, which need neither: they begin with their first record, once their run is registered.</summary>
internal sealed class RunStreams(IRunRegistry runs, StreamDirectory directory, TimeProvider clock)
{
    public async Task<IResult> CreateAsync(HttpContext context, EnvironmentId environment, StreamName name, StreamConfig config)
    {
        var (row, error) = await FindAsync(environment, name, config, context.RequestAborted);
        if (error is not null) return Answers.Error(error);
        return row is null
            ? StreamTexts.Info(context, name.Text, clock.GetUtcNow(), StreamTexts.Created, StatusCodes.Status201Created)
            : Answers.Error(S2Error.AlreadyExists($"There is a stream {name.Text} already."));
    }

    public async Task<IResult> EnsureAsync(HttpContext context, EnvironmentId environment, StreamName name, StreamConfig config)
    {
        var (row, error) = await FindAsync(environment, name, config, context.RequestAborted);
        if (error is not null) return Answers.Error(error);
        return row is null
            ? StreamTexts.Info(context, name.Text, clock.GetUtcNow(), StreamTexts.Created, StatusCodes.Status201Created)
            : StreamTexts.Info(context, name.Text, row.CreatedAt, StreamTexts.Unchanged, StatusCodes.Status200OK);
    }

    /// <summary>Why a run's stream cannot have the configuration; null when it can.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="kept">How long the run's chunks are kept.</param>
    public static S2Error? FindFault(StreamConfig config, TimeSpan kept)
    {
        if (config.Mode != StreamConfig.Default.Mode || config.Uncapped != StreamConfig.Default.Uncapped)
            return S2Error.Invalid("Streams of runs have one configuration, in which timestamping is client-prefer and not uncapped. Use a name that does not begin with runs/.");
        return config.Age is null || config.Age == kept
            ? null
            : S2Error.Invalid($"A run's streams are kept as long as the run says, which is {(long)kept.TotalSeconds} seconds here: the field retention_policy can say so, or be absent.");
    }

    private async Task<(StreamRow? Row, S2Error? Error)> FindAsync(
        EnvironmentId environment, StreamName name, StreamConfig config, CancellationToken cancellationToken)
    {
        var run = name.Run!.Value;
        var (target, error) = await directory.FindOfRunAsync(environment, run, name.Key, cancellationToken);
        if (error is not null) return (null, error);
        if (FindFault(config, await directory.RetentionOfAsync(target!, cancellationToken)) is { } fault) return (null, fault);
        return (await runs.FindStreamAsync(new StreamAddress(environment, run, name.Key), cancellationToken), null);
    }
}
