using System.Threading.Channels;
using Microsoft.Extensions.Options;
using RealtimeStreams.Sdk;

namespace DemoWorker;

/// <summary>Starts a run every so often, and on request.</summary>
internal sealed partial class DemoRuns(
    AnswerTask task,
    IOptions<DemoOptions> options,
    IOptions<RealtimeStreamsClientOptions> client,
    TimeProvider time,
    ILogger<DemoRuns> logger) : BackgroundService
{
    private const int AtOnce = 8;

    // As many may wait as go on: an id is 40 bytes, and whoever asks for more is told so.
    private readonly Channel<string> wanted = Channel.CreateBounded<string>(AtOnce);

    /// <summary>Asks for a run; returns its id, or null when there are too many.</summary>
    public string? TryRequest()
    {
        var run = $"demo-{Guid.CreateVersion7(time.GetUtcNow()):N}";
        return wanted.Writer.TryWrite(run) ? run : null;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(
            RequestRegularlyAsync(stoppingToken),
            Parallel.ForEachAsync(
                wanted.Reader.ReadAllAsync(stoppingToken),
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stoppingToken },
                RunOneAsync));

    private async Task RequestRegularlyAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.Interval, time);
        do
            TryRequest();
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async ValueTask RunOneAsync(string run, CancellationToken stoppingToken)
    {
        var answerRun = AnswerTask.AnswerRunOf(run);
        LogStarted(run, client.Value.BaseAddress!, answerRun);
        try
        {
            await task.RunAsync(run, stoppingToken);
            LogEnded(run);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The run has been completed as cancelled.
        }
        catch (Exception e)
        {
            LogFailed(e, run); // One failed run does not stop the next: the sample goes on like a queue's worker.
        }
    }

    [LoggerMessage(EventId = 9101, Level = LogLevel.Information,
        Message = "Run {Run} has begun. Its answer: {Server}api/v1/runs/{AnswerRun}/streams/answer")]
    private partial void LogStarted(string run, Uri server, string answerRun);

    [LoggerMessage(EventId = 9102, Level = LogLevel.Information, Message = "Run {Run} is complete")]
    private partial void LogEnded(string run);

    [LoggerMessage(EventId = 9103, Level = LogLevel.Error, Message = "Run {Run} failed")]
    private partial void LogFailed(Exception exception, string run);
}
