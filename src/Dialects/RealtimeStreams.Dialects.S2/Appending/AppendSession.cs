using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Threading.Channels;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.S2.Records;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Ingest;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Appending;

/// <summary>
/// One append session. A batch is at the log at a time, so that nothing behind a refused one is stored; meanwhile the next ones are read. Acknowledgements
/// go out in the order of the batches, each as soon as its batch is durable.
/// </summary>
/// <remarks>
/// One batch at the log, two that wait and one being read: at most four batches of 1 MiB, and what the connection's window has taken. When that is full the
/// body is not read on, and the client's window closes. A client that does not take its acknowledgements is such a one too.
/// </remarks>
internal sealed class AppendSession(StreamAddress stream, BatchRules rules, IAppender appender, PipeReader body, PipeWriter output, TimeProvider clock) : IDisposable
{
    private const int Waiting = 2;

    private readonly Channel<Input> inputs = Channel.CreateBounded<Input>(new BoundedChannelOptions(Waiting) { SingleReader = true, SingleWriter = true });
    private readonly RunBinding binding = new();
    private readonly BatchBuilder builder = new(rules);
    private readonly FramePayload payloads = new();

    /// <summary>A batch, or what was wrong with one.</summary>
    private readonly record struct Input(ChunkBatch? Batch, S2Error? Error);

    /// <summary>Serves the session until the client ends its body, or an error ends the session.</summary>
    /// <param name="stopping">The session is to end: the server stops, or the credential is valid no more.</param>
    /// <param name="cancellationToken">The client has gone.</param>
    /// <returns>Null, or the error that the client is still to be told.</returns>
    public async Task<S2Error?> RunAsync(CancellationToken stopping, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellationToken);
        using var grace = new Grace(clock, stopping, cancellationToken);
        var reading = ReadAsync(ending.Token);
        try
        {
            return await AppendAsync(ending.Token, grace.Over, cancellationToken);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return S2Errors.Stopping;
        }
        finally
        {
            await ending.CancelAsync();
            await reading;
            while (inputs.Reader.TryRead(out var left)) left.Batch?.Dispose();
        }
    }

    public void Dispose()
    {
        builder.Dispose();
        payloads.Dispose();
    }

    private async Task<S2Error?> AppendAsync(CancellationToken ending, CancellationToken graceOver, CancellationToken cancellationToken)
    {
        while (await inputs.Reader.WaitToReadAsync(ending))
        {
            inputs.Reader.TryRead(out var input);
            if (input.Error is not null) return input.Error;
            var count = input.Batch!.Count;
            // Not given up when the server stops: what is at the log is acknowledged first.
            switch (await appender.AppendAsync(stream, input.Batch, LeaseBounds.Longest, binding, cancellationToken))
            {
                case AppendOutcome.Stored stored:
                    AppendRecords.AckOf(stored, count).WriteFrame(output);
                    await output.FlushAsync(graceOver);
                    break;
                case AppendOutcome.Refused refused:
                    return S2Errors.From(refused);
                default:
                    throw new UnreachableException();
            }
        }
        return null;
    }

    /// <summary>Reads the body to its end, to the first fault in it, or until there is nobody for it any more. Never throws.</summary>
    private async Task ReadAsync(CancellationToken ending)
    {
        Exception? failure = null;
        try
        {
            while (!await TakeAsync(await body.ReadAsync(ending), ending))
            {
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
        }
        catch (Exception exception)
        {
            failure = exception; // Met by whoever takes the inputs, behind the last one.
        }
        inputs.Writer.TryComplete(failure);
    }

    /// <returns>Whether nothing more is to be taken.</returns>
    private async ValueTask<bool> TakeAsync(ReadResult read, CancellationToken ending)
    {
        var buffer = read.Buffer;
        var sound = true;
        try
        {
            while (sound && TryTake(ref buffer, out var input))
            {
                sound = input.Error is null;
                await PassAsync(input, ending);
            }
            if (sound && read.IsCompleted && !buffer.IsEmpty) await PassAsync(new Input(null, S2Error.BadFrame("The body ends within a frame.")), ending);
        }
        finally
        {
            body.AdvanceTo(buffer.Start, read.Buffer.End);
        }
        return !sound || read.IsCompleted;
    }

    private async ValueTask PassAsync(Input input, CancellationToken ending)
    {
        try
        {
            await inputs.Writer.WriteAsync(input, ending);
        }
        catch (OperationCanceledException)
        {
            input.Batch?.Dispose();
            throw;
        }
    }

    private bool TryTake(ref ReadOnlySequence<byte> buffer, out Input input)
    {
        input = default;
        if (!Frame.TryRead(ref buffer, out var flags, out var payload, out var error))
        {
            input = new Input(null, error);
            return error is not null;
        }
        error = payloads.Open(flags, payload, out var message);
        ChunkBatch? batch = null;
        error ??= AppendInputProto.Read(message, builder, out batch);
        input = new Input(batch, error);
        return true;
    }
}
