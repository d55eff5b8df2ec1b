using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Http;
using RealtimeStreams.Sdk.Json;

namespace RealtimeStreams.Sdk.Writing;

/// <summary>The client's operations on streams.</summary>
internal sealed class StreamOperations(Transport transport, ChunkJson json) : IStreams
{
    public StreamPipe<T> Pipe<T>(
        RealtimeStream<T> stream, IAsyncEnumerable<T> source, PipeOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Start("pipe", stream, writer => writer.WriteAllAsync(source), options, cancellationToken);
    }

    public StreamPipe<T> Writer<T>(
        RealtimeStream<T> stream, Func<StreamWriter<T>, Task> execute, PipeOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(execute);
        return Start("write", stream, execute, options, cancellationToken);
    }

    public async Task<AppendReceipt> AppendAsync<T>(
        RealtimeStream<T> stream, T chunk, AppendOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var run = (options?.Target ?? StreamTarget.Self).Resolve(RunContext.Current);
        var body = new ChunkScratch<T>(json.Get(stream)).Write(chunk);
        var key = options?.IdempotencyKey ?? RandomIds.New();
        var path = Paths.Stream(run, stream.StreamKey);
        using var activity = SdkTelemetry.Start("append", run.Value, stream.Key);
        return await ObserveAsync(activity, transport.SendAsync("append", NewRequest, NativeJson.Default.AppendReceipt, cancellationToken)).ConfigureAwait(false);

        HttpRequestMessage NewRequest()
        {
            var content = new ReadOnlyMemoryContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            var request = transport.NewRequest(HttpMethod.Post, path, content);
            request.Headers.TryAddWithoutValidation(NativeHeaders.IdempotencyKey, key);
            return request;
        }
    }

    public Task<CloseReceipt> CloseAsync<T>(RealtimeStream<T> stream, CloseOptions<T>? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        options ??= new CloseOptions<T>();
        var run = options.Target.Resolve(RunContext.Current);
        JsonElement? last = options.HasFinalChunk ? ChunkJson.ToElement(options.FinalChunk!, json.Get(stream)) : null;
        return CloseAsync(run, stream.StreamKey, options.Outcome, last, cancellationToken);
    }

    public StreamRead<T> ReadAsync<T>(RealtimeStream<T> stream, string runId, ReadOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return new StreamRead<T>(transport, RunId.Parse(runId), stream.StreamKey, json.Get(stream), options ?? new ReadOptions(), cancellationToken);
    }

    public Task<StreamTail> GetTailAsync(string runId, string key, CancellationToken cancellationToken)
    {
        var path = Paths.Stream(RunId.Parse(runId), StreamKey.Parse(key));
        return transport.SendAsync("tail", () => transport.NewRequest(HttpMethod.Head, path), ReadTailAsync, cancellationToken);
    }

    public async Task<IReadOnlyList<StreamInfo>> ListAsync(string runId, CancellationToken cancellationToken)
    {
        var path = Paths.Streams(RunId.Parse(runId));
        var list = await transport.SendAsync(
            "list_streams", () => transport.NewRequest(HttpMethod.Get, path), NativeJson.Default.StreamList, cancellationToken).ConfigureAwait(false);
        return list.Streams;
    }

    private StreamPipe<T> Start<T>(
        string operation, RealtimeStream<T> stream, Func<StreamWriter<T>, Task> execute, PipeOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        options ??= new PipeOptions();
        ArgumentOutOfRangeException.ThrowIfNegative(options.LocalBufferChunks);
        var context = RunContext.Current;
        var run = options.Target.Resolve(context);
        var upload = new Upload<T>(transport, run, stream.StreamKey, json.Get(stream), options, context, cancellationToken);
        var activity = new StreamActivity();
        context?.Track(activity);
        // The source's first step may take its time, and piping returns at once. The completion is the caller's, or the run's, to await.
        var completion = Task.Run(
            () => RunAsync(operation, upload, run, stream.StreamKey, execute, options, activity, cancellationToken), CancellationToken.None);
        // Its failure is logged, and told to whoever asks.
        _ = completion.ContinueWith(failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return new StreamPipe<T>(upload.Local, completion, activity);
    }

    private async Task<PipeReceipt> RunAsync<T>(
        string operation,
        Upload<T> upload,
        RunId run,
        StreamKey key,
        Func<StreamWriter<T>, Task> execute,
        PipeOptions options,
        StreamActivity activity,
        CancellationToken cancellationToken)
    {
        using var span = SdkTelemetry.Start(operation, run.Value, key.Value);
        using var owned = upload;
        try
        {
            var writer = new StreamWriter<T>(upload);
            var (receipt, failure) = await upload.RunAsync(() => writer.RunAsync(execute), cancellationToken).ConfigureAwait(false);
            span?.SetTag("messaging.batch.message_count", receipt.Chunks);
            if (options.CloseWhenDone) await CloseAsync(run, key, ToOutcome(failure), null, cancellationToken).ConfigureAwait(false);
            if (failure is not null) ExceptionDispatchInfo.Throw(failure);
            activity.Settle(null);
            return receipt;
        }
        catch (OperationCanceledException)
        {
            activity.Settle(null); // Whoever cancelled it knows.
            throw;
        }
        catch (Exception failure)
        {
            SdkTelemetry.Fail(span, failure);
            transport.Logger.LogPipeFailed(run.Value, key.Value, failure);
            activity.Settle(failure);
            throw;
        }
    }

    private async Task<CloseReceipt> CloseAsync(RunId run, StreamKey key, Outcome outcome, JsonElement? last, CancellationToken cancellationToken)
    {
        var path = $"{Paths.Stream(run, key)}/close";
        var producer = last is null ? null : RandomIds.New(); // Numbers the final chunk, so that a retry is recognised.
        using var activity = SdkTelemetry.Start("close", run.Value, key.Value);
        return await ObserveAsync(activity, transport.SendAsync("close", NewRequest, NativeJson.Default.CloseReceipt, cancellationToken)).ConfigureAwait(false);

        HttpRequestMessage NewRequest()
        {
            var body = JsonContent.Create(new CloseStream(outcome, last), NativeJson.Default.CloseStream);
            var request = transport.NewRequest(HttpMethod.Post, path, body);
            if (producer is null) return request;
            request.Headers.TryAddWithoutValidation(NativeHeaders.ProducerId, producer);
            request.Headers.TryAddWithoutValidation(NativeHeaders.ProducerSequence, "0");
            return request;
        }
    }

    private static async Task<T> ObserveAsync<T>(System.Diagnostics.Activity? activity, Task<T> operation)
    {
        try
        {
            return await operation.ConfigureAwait(false);
        }
        catch (RealtimeStreamsException failure)
        {
            SdkTelemetry.Fail(activity, failure);
            throw;
        }
    }

    private static Outcome ToOutcome(Exception? failure) => failure switch
    {
        null => Outcome.Completed,
        OperationCanceledException => Outcome.Cancelled,
        _ => Outcome.Failed,
    };

    private static ValueTask<StreamTail?> ReadTailAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (FindNumber(NativeHeaders.NextIndex) is not { } next) return ValueTask.FromResult<StreamTail?>(null);
        Outcome? outcome = Outcomes.TryParse(Find(NativeHeaders.Outcome), out var known) ? known : null;
        return ValueTask.FromResult<StreamTail?>(new StreamTail(FindNumber(NativeHeaders.FirstIndex) ?? 0, next, Find(NativeHeaders.State) == "closed", outcome));

        string? Find(string header) => response.Headers.TryGetValues(header, out var values) ? values.First() : null;
        long? FindNumber(string header) => long.TryParse(Find(header), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
