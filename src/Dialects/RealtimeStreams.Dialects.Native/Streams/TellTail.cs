using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Dialects.Native.Runs;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Streams;

/// <summary>HEAD: how far a stream goes, and how far a producer got.</summary>
internal static class TellTail
{
    public static async Task<Results<Ok, ProblemResult>> HandleAsync(
        HttpContext context, StreamPath stream, IRunRegistry registry, IChunkLog log, CancellationToken cancellationToken)
    {
        var address = stream.Address;
        var headers = context.Request.Headers;
        if (!ProducerHeaders.TryReadId(headers, out var producer, out var problem)
            || !ProducerHeaders.TryReadEpoch(headers, out var epoch, out problem))
        {
            return problem!;
        }
        if (await registry.FindBriefAsync(address.Environment, address.Run, cancellationToken) is not { } run)
            return Problems.From(RunTexts.NotFound(address.Run));
        var stored = await log.FindAsync(address, cancellationToken);
        if (stored is null && run.Status != RunStatus.Open)
            return Problems.From(ErrorCode.StreamNotFound, $"The run {run.Id} has ended without a stream {address.Key}.");
        Tell(context.Response.Headers, stored);
        StopTelling.SetHeader(context, run);
        if (producer is { } id) Tell(context.Response.Headers, Find(stored, id), epoch);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok();
    }

    private static ProducerState? Find(StreamSummary? stored, ProducerId id)
    {
        foreach (var producer in stored?.Producers ?? [])
        {
            if (producer.Id == id) return producer;
        }
        return null;
    }

    private static void Tell(IHeaderDictionary headers, StreamSummary? stored)
    {
        headers[NativeHeaders.NextIndex] = Number(stored?.NextIndex.Value ?? 0);
        headers[NativeHeaders.FirstIndex] = Number(stored?.FirstIndex.Value ?? 0);
        headers[NativeHeaders.State] = StreamTexts.State(stored?.End);
        if (stored?.End is { } end) headers[NativeHeaders.Outcome] = end.ToWord();
    }

    // Numbers start anew with a newer epoch than the stored one.
    private static void Tell(IHeaderDictionary headers, ProducerState? stored, uint? asked)
    {
        var anew = stored is null || asked > stored.Value.Epoch;
        headers[NativeHeaders.ProducerNextSequence] = Number(anew ? 0 : stored!.Value.LastSequence + 1);
        headers[NativeHeaders.ProducerEpoch] = Number(anew ? asked ?? 0 : stored!.Value.Epoch);
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
