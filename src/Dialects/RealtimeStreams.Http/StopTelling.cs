using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Http;

/// <summary>Tells readers that a run was asked to stop, where the dialect's own protocol has no word for it.</summary>
public static class StopTelling
{
    /// <summary>What every reader of the run is told; null: nobody has asked.</summary>
    public static StopNotice? Notice(StopRequest? request) => request is null ? null : new StopNotice(request.RequestedAt, request.Reason);

    /// <summary>Sets the header <see cref="NativeHeaders.StopRequested"/> if the run was asked. Before the answer begins.</summary>
    public static void SetHeader(HttpContext context, Run run)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(run);
        if (run.Stop is { } stop) context.Response.Headers[NativeHeaders.StopRequested] = stop.RequestedAt.ToString("O", CultureInfo.InvariantCulture);
    }

    /// <summary>What an answer of server-sent events is told while it goes on, as a comment, which clients skip: <c>: stop-requested {"at":…,"reason":…}</c>.</summary>
    /// <param name="requested">The request that was there when the read was opened; null: none.</param>
    /// <param name="watch">Watches for one from before the read was opened.</param>
    /// <param name="output">Where to. A request that was there is written at once.</param>
    /// <returns>What is still awaited; null: nothing.</returns>
    public static FeedNews? Begin(StopRequest? requested, IStopWatch watch, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(watch);
        if (requested is null) return new FeedNews(to => WriteComment(watch.Request!, to), watch.Requested);
        WriteComment(requested, output);
        return null;
    }

    private static void WriteComment(StopRequest request, IBufferWriter<byte> output) =>
        new SseWriter(output).WriteComment([.. "stop-requested "u8, .. JsonSerializer.SerializeToUtf8Bytes(Notice(request)!, WireJson.Contracts.StopNotice)]);
}
