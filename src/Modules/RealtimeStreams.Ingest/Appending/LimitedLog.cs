using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest.Appending;

/// <summary>The log, within the limits that are in force when something is stored. Takes room for the bytes in their run first, so that all who write to it here know of each other.</summary>
/// <remarks>The log decides: what is a repetition of something stored meets no limit, and a refusal stores nothing.</remarks>
internal sealed class LimitedLog(IChunkLog log, IRunLimits limits)
{
    /// <summary>As <see cref="IChunkLog.AppendAsync"/>, which owns the batch from here on.</summary>
    public async Task<AppendOutcome> AppendAsync(
        StreamAddress stream, StreamAdmission.Admitted admission, ChunkBatch batch, CancellationToken cancellationToken)
    {
        var (bytes, usage) = (batch.Length, admission.Usage);
        var left = Take(stream, admission, bytes);
        var stored = 0;
        try
        {
            var outcome = await log.AppendAsync(stream, batch, left, cancellationToken);
            if (outcome is AppendOutcome.Stored { Added: > 0 } added)
                stored = added.Duplicates == 0 ? bytes : (int)((long)bytes * added.Added / (added.Added + added.Duplicates)); // About: who repeats a part is rare.
            return outcome;
        }
        catch (OperationCanceledException)
        {
            stored = bytes; // As good as certain. Not counting it would let whoever never waits store without end.
            throw;
        }
        finally
        {
            usage?.Settle(bytes, stored);
        }
    }

    /// <summary>As <see cref="IChunkLog.CloseAsync"/>, which owns the batch from here on.</summary>
    public async Task<CloseOutcome> CloseAsync(
        StreamAddress stream, StreamAdmission.Admitted admission, Outcome outcome, ChunkBatch? last, CancellationToken cancellationToken)
    {
        var (bytes, usage) = (last?.Length ?? 0, admission.Usage);
        var left = Take(stream, admission, bytes);
        var stored = 0;
        try
        {
            var closed = await log.CloseAsync(stream, outcome, last, left, cancellationToken);
            if (closed is CloseOutcome.Closed { AlreadyClosed: false }) stored = bytes;
            return closed;
        }
        catch (OperationCanceledException)
        {
            stored = bytes;
            throw;
        }
        finally
        {
            usage?.Settle(bytes, stored);
        }
    }

    private StreamLimits Take(StreamAddress stream, StreamAdmission.Admitted admission, int bytes)
    {
        var force = limits.Of(stream.Environment, admission.Version);
        var before = admission.Usage?.Take(bytes) ?? 0;
        var ofStream = new StreamLimits(force.MaxStreamBytes, force.MaxChunks ?? long.MaxValue);
        return admission.Usage is not null && force.MaxRunBytes is { } most ? ofStream with { RunBytesLeft = most - before, MaxRunBytes = most } : ofStream;
    }
}
