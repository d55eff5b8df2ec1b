using Microsoft.AspNetCore.Http;

namespace RealtimeStreams.Http.Limiting;

/// <summary>A request's body that gives up on a sender who is too slow over all of it: the read throws what the web server throws for that over HTTP/1.1.</summary>
/// <remarks>
/// Over HTTP/2 the web server counts the connection's bytes, and ends all that is on it: one slow sender behind a proxy would end everybody's requests. Only the time counts
/// in which a read waits for the sender. One reader at a time.
/// </remarks>
internal sealed class PacedBody(Stream inner, int bytesPerSecond, TimeSpan grace, TimeProvider clock) : Stream
{
    private CancellationTokenSource? over;
    private TimeSpan waited;
    private long received;

    /// <summary>The body as it is, without a pace.</summary>
    public Stream Inner => inner;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        over ??= new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        using var passedOn = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), over);
        var read = inner.ReadAsync(buffer, over.Token);
        var count = read.IsCompletedSuccessfully ? read.Result : await WaitAsync(read, over, cancellationToken);
        received += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Bodies are read asynchronously.");

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) over?.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> WaitAsync(ValueTask<int> read, CancellationTokenSource over, CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        var earned = TimeSpan.FromSeconds(received / (double)bytesPerSecond);
        var left = (earned > grace ? earned : grace) - waited;
        over.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        try
        {
            return await read;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && over.IsCancellationRequested)
        {
            throw new BadHttpRequestException("Reading the request body timed out due to data arriving too slowly.", StatusCodes.Status408RequestTimeout);
        }
        finally
        {
            over.CancelAfter(Timeout.InfiniteTimeSpan);
            waited += clock.GetElapsedTime(began);
        }
    }
}
