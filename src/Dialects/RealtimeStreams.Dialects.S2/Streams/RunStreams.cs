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
    public static S2Error? FindFault(StreamConfig config) =>
        config.Mode == StreamConfig.Default.Mode && config.Uncapped == StreamConfig.Default.Uncapped
            ? null
            : S2Error.Invalid("Streams of runs have one configuration, in which timestamping is client-prefer and not uncapped. Use a name that does not begin with runs/.");

    private async Task<(StreamRow? Row, S2Error? Error)> FindAsync(
        EnvironmentId environment, StreamName name, StreamConfig config, CancellationToken cancellationToken)
    {
        var run = name.Run!.Value;
        var (_, error) = await directory.FindOfRunAsync(environment, run, name.Key, cancellationToken);
        if ((error ?? FindFault(config)) is { } fault) return (null, fault);
        var rows = await runs.ListStreamsAsync(environment, run, cancellationToken);
        return (rows.FirstOrDefault(row => row.Key == name.Key), null);
    }
}
