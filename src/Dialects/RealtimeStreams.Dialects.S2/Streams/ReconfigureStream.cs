using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Streams;

/// <summary>GET and PATCH /streams/{stream}: a stream's configuration.</summary>
internal static class ReconfigureStream
{
    public static async Task<IResult> TellAsync(HttpContext context, Call call, StreamDirectory directory)
    {
        var (target, error) = await directory.FindAsync(call, context.RequestAborted);
        return error is null ? await TellAsync(target!, target!.Config, directory, context.RequestAborted) : Answers.Error(error);
    }

    public static async Task<IResult> HandleAsync(HttpContext context, Call call, StreamDirectory directory, RunStreams ofRuns, INamedStreams streams)
    {
        var name = call.Stream!;
        var (document, error) = await RequestBody.ReadDocumentAsync(context);
        if (error is not null) return Answers.Error(error);
        using (document)
        {
            var changes = document?.RootElement ?? default;
            if (StreamConfig.Default.TryChange(changes, directory.RetentionOf(call.Environment), out var ofDefault) is { } fault) return Answers.Error(fault);
            if (name.Run is not null)
            {
                var (ofRun, missing) = await directory.FindAsync(call, context.RequestAborted);
                if (missing is not null) return Answers.Error(missing);
                var kept = await directory.RetentionOfAsync(ofRun!, context.RequestAborted);
                return RunStreams.FindFault(ofDefault, kept) is { } refused ? Answers.Error(refused) : Tell(ofRun!.Config, kept);
            }
            if (await streams.FindAsync(call.Environment, name.Text, context.RequestAborted) is not { } found)
                return Answers.Error(StreamDirectory.NotFound(name));
            var (now, _) = await Reconfiguration.ApplyAsync(
                streams,
                call.Environment,
                found,
                present => present.TryChange(changes, directory.RetentionOf(call.Environment), out var changed) is null ? changed : present, // Checked above.
                context.RequestAborted);
            return now is null
                ? Answers.Error(S2Error.TransactionConflict($"The stream {name.Text} was deleted or changed meanwhile. Try again."))
                : Tell(StreamConfig.Load(now.Config), directory.RetentionOf(call.Environment));
        }
    }

    private static async Task<IResult> TellAsync(StreamTarget target, StreamConfig config, StreamDirectory directory, CancellationToken cancellationToken) =>
        Tell(config, await directory.RetentionOfAsync(target, cancellationToken));

    private static IResult Tell(StreamConfig config, TimeSpan longest) => Answers.Object(json => config.Write(json, longest));
}
