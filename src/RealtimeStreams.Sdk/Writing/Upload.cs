using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Http;
using RealtimeStreams.Sdk.Json;
using RealtimeStreams.Sdk.Stopping;

namespace RealtimeStreams.Sdk.Writing;

/// <summary>A pipe or a writer at work: chunks become bytes, and go to the producer's buffer and to whoever iterates them here, in one order.</summary>
internal sealed class Upload<T> : IDisposable
{
    private readonly ILogger logger;
    private readonly ChunkBuffer buffer;
    private readonly ChunkProducer producer;
    private readonly LocalStream<T> local;
    private readonly ChunkScratch<T> scratch;
    private readonly SemaphoreSlim gate = new(1, 1); // Owns the scratch, and makes both orders the same.
    private readonly CancellationTokenSource stopSources;
    private readonly CancellationTokenSource abandon;
    private readonly CancellationToken abandoned; // Late writers may ask after the source is disposed.

    public Upload(
        Transport transport, RunId run, StreamKey key, JsonTypeInfo<T> contract, PipeOptions options, RunContext? context, CancellationToken cancellationToken)
    {
        logger = transport.Logger;
        scratch = new ChunkScratch<T>(contract);
        local = new LocalStream<T>(options.LocalBufferChunks, transport.Time);
        buffer = new ChunkBuffer(transport.Options.MaxBufferedBytes, transport.Options.MaxBufferedChunks);
        ProducerId? chosen = options.ProducerId is { } name ? ProducerId.Parse(name) : null;
        producer = new ChunkProducer(transport, run, key, chosen, options.Epoch ?? context?.Attempt ?? 0, buffer);
        abandon = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stopSources = CancellationTokenSource.CreateLinkedTokenSource(abandon.Token, context?.Stopping ?? CancellationToken.None);
        Stopping = stopSources.Token;
        abandoned = abandon.Token;
    }

    public CancellationToken Stopping { get; }

    public LocalStream<T> Local => local;

    /// <summary>Asks the sources to end. What they have given is still stored.</summary>
    public void StopSources()
    {
        try
        {
            stopSources.CancelSafely(logger);
        }
        catch (ObjectDisposedException)
        {
            // A source that ignored its cancellation ended after the upload: there is nothing left to stop.
        }
    }

    public async ValueTask WriteAsync(T chunk, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await buffer.AddAsync(scratch.Write(chunk), cancellationToken).ConfigureAwait(false);
            await local.WriteAsync(chunk, abandoned).ConfigureAwait(false);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Writes what <paramref name="write"/> gives, and returns once all is acknowledged, with what a source threw.</summary>
    /// <exception cref="RealtimeStreamsException">The server refused, or was not reached in time. The sources were stopped.</exception>
    /// <exception cref="OperationCanceledException">The upload was cancelled.</exception>
    public async Task<(PipeReceipt Receipt, Exception? SourceFailure)> RunAsync(Func<Task> write, CancellationToken cancellationToken)
    {
        Exception? failure = null;
        var sending = SendAsync();
        // A source that ignores its cancellation must not hold up a caller who has cancelled, or whose upload has failed.
        var writing = write();
        try
        {
            await writing.WaitAsync(abandoned).ConfigureAwait(false);
        }
        catch (Exception thrown)
        {
            failure = thrown; // Told to the caller after all that came before it is stored.
            _ = writing.ContinueWith(late => late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
        buffer.Complete();
        PipeReceipt receipt;
        try
        {
            receipt = await sending.ConfigureAwait(false);
        }
        catch (Exception refused)
        {
            local.Complete(refused);
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
        local.Complete(failure);
        return (receipt, failure);
    }

    public void Dispose()
    {
        stopSources.Dispose();
        abandon.Dispose();
    }

    private async Task<PipeReceipt> SendAsync()
    {
        try
        {
            return await producer.RunAsync(abandoned).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            buffer.Fail(failure);
            await abandon.CancelSafelyAsync(logger).ConfigureAwait(false);
            throw;
        }
    }
}
