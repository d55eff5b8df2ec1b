using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json.Serialization.Metadata;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Reading;

/// <summary>A live read in the native dialect: every end of it is told by an event.</summary>
/// <param name="read">The read.</param>
/// <param name="format">How it looks on the wire.</param>
/// <param name="output">The answer's body.</param>
/// <param name="timeout">How long the reader waits for chunks; null: for ever.</param>
/// <param name="clock">The time.</param>
/// <param name="requested">That the run was asked to stop before the read was opened: told first. Null: it was not.</param>
/// <param name="stop">Watches whether it is asked meanwhile; null: nobody wants to know.</param>
internal sealed class Feed(
    IStreamRead read, FeedFormat format, PipeWriter output, TimeSpan? timeout, TimeProvider clock, StopRequest? requested = null, IStopWatch? stop = null)
    : IFeedFormat
{
    private static readonly TimeSpan LastFlush = TimeSpan.FromSeconds(1);

    private long wanted; // What the client has not been sent yet begins here.

    /// <param name="startIndex">The index that the client asked for.</param>
    /// <param name="watch">Ends with the client's credential: the client is told to bring another one.</param>
    /// <param name="stopping">The server stops: the client is told to come back.</param>
    /// <param name="cancellationToken">The client has gone, or <paramref name="stopping"/>, or the watch ended.</param>
    public async Task SendAsync(long startIndex, IAccessWatch watch, CancellationToken stopping, CancellationToken cancellationToken)
    {
        wanted = startIndex < 0 ? read.Cursor.Value : startIndex;
        format.WriteOpening(output);
        if (requested is not null) Tell(requested);
        var news = requested is null && stop is not null ? new FeedNews(_ => Tell(stop.Request!), stop.Requested) : null;
        var loop = new FeedLoop(read, this, output, timeout, clock, news);
        try
        {
            switch (await loop.SendAsync(cancellationToken))
            {
                case FeedEnd.Ended:
                    Tell(NativeEvents.End, new EndEvent(loop.Outcome, read.NextIndex.Value), WireJson.Contracts.EndEvent);
                    break;
                case FeedEnd.TimedOut:
                    Tell(NativeEvents.Timeout, new CaughtUpEvent(read.Cursor.Value), WireJson.Contracts.CaughtUpEvent);
                    break;
                case FeedEnd.Erased:
                    await FailAsync(new Refusal(ErrorCode.StreamGone, "The stream was erased while it was being read."), cancellationToken);
                    return;
                case FeedEnd.ClientGone:
                    return;
            }
            await output.FlushAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested || watch.End is not null)
        {
            if (watch.End is { } end)
                Tell(NativeEvents.TokenExpired, new TokenExpiredEvent(read.Cursor.Value, NameOf(end)), WireJson.Contracts.TokenExpiredEvent);
            else
                Tell(NativeEvents.Reconnect, new CaughtUpEvent(read.Cursor.Value), WireJson.Contracts.CaughtUpEvent);
            // A client that does not read gets no more time than this.
            using var last = new CancellationTokenSource(LastFlush, clock);
            await output.FlushAsync(last.Token);
        }
    }

    /// <summary>Tells an error, as the last event.</summary>
    public async Task FailAsync(Refusal refusal, CancellationToken cancellationToken)
    {
        Tell(NativeEvents.Error, Problems.Describe(refusal), WireJson.Contracts.Problem);
        await output.FlushAsync(cancellationToken);
    }

    int IFeedFormat.WriteChunks(in ReadStep step, IStreamRead chunks, IBufferWriter<byte> to)
    {
        var bytes = step.Record!.Framed(format).From(step.From);
        to.Write(bytes.Span);
        wanted = step.Record.NextIndex.Value;
        return bytes.Length;
    }

    void IFeedFormat.WriteCaughtUp(IStreamRead at, IBufferWriter<byte> to) =>
        Tell(NativeEvents.CaughtUp, new CaughtUpEvent(at.Cursor.Value), WireJson.Contracts.CaughtUpEvent);

    void IFeedFormat.WriteTrimmed(in ReadStep step, IBufferWriter<byte> to)
    {
        Tell(NativeEvents.Trimmed, new TrimmedEvent(wanted, step.From.Value), WireJson.Contracts.TrimmedEvent);
        wanted = step.From.Value;
    }

    void IFeedFormat.WriteHeartbeat(IStreamRead at, IBufferWriter<byte> to) => format.WriteHeartbeat(to);

    private void Tell(StopRequest request) => Tell(NativeEvents.StopRequested, StopTelling.Notice(request)!, WireJson.Contracts.StopNotice);

    private void Tell<T>(string name, T data, JsonTypeInfo<T> contract) => format.WriteEvent(name, data, contract, output);

    private static string NameOf(AccessEnd end) => end == AccessEnd.Revoked ? "revoked" : "expired";
}
