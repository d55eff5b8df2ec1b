using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Json;
using RealtimeStreams.Sdk.Stopping;
using RealtimeStreams.Sdk.Writing;

namespace RealtimeStreams.Sdk.Workers;

/// <summary>Claims runs for all tasks of this host, and has each done. Waits for its runs when the host stops.</summary>
internal sealed class TaskWorker : BackgroundService
{
    /// <summary>What storing the rest and giving back may take once the runs' tokens are cancelled.</summary>
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan MinWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, TaskDefinition> tasks = new(StringComparer.Ordinal);
    private readonly IRealtimeStreamsClient client;
    private readonly RealtimeStreamsWorkerOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly SdkTelemetry telemetry;
    private readonly RunServices services;
    private readonly ClaimOptions claim;

    public TaskWorker(
        IEnumerable<TaskDefinition> tasks,
        IRealtimeStreamsClient client,
        IOptions<RealtimeStreamsWorkerOptions> options,
        IOptions<RealtimeStreamsClientOptions> clientOptions,
        IServiceScopeFactory scopes,
        TimeProvider? time = null,
        ILoggerFactory? loggers = null,
        IMeterFactory? meters = null)
    {
        foreach (var task in tasks)
        {
            if (!this.tasks.TryAdd(task.TaskId, task))
                throw new InvalidOperationException($"The task '{task.TaskId}' is added twice.");
        }
        this.client = client;
        this.options = options.Value;
        this.time = time ?? TimeProvider.System;
        logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger("RealtimeStreams.Sdk");
        telemetry = new SdkTelemetry(meters);
        services = new RunServices(client, scopes, new ChunkJson(clientOptions.Value.SerializerOptions), this.options.Lease, this.time, logger, telemetry);
        claim = new ClaimOptions { Worker = this.options.Worker ?? $"{Environment.MachineName}-{RandomIds.New()}", Lease = this.options.Lease };
    }

    public override void Dispose()
    {
        telemetry.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var drained = new CancellationTokenSource(); // Cancels the handlers.
        using var over = new CancellationTokenSource(); // Ends what follows.
        using var places = new SemaphoreSlim(options.MaxConcurrentRuns);
        var running = new HashSet<Task>(); // Owned by this loop. At most MaxConcurrentRuns, and the ended ones of the last round.
        logger.LogWorkerStarted(claim.Worker!, tasks.Keys, options.MaxConcurrentRuns);
        try
        {
            while (true)
            {
                await places.WaitAsync(stoppingToken).ConfigureAwait(false);
                var run = await ClaimAsync(stoppingToken).ConfigureAwait(false);
                running.RemoveWhere(task => task.IsCompleted);
                // On a thread of its own until its first wait, as what the handler does before that must not hold up the others.
                running.Add(Task.Run(() => RunAsync(run), CancellationToken.None));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            running.RemoveWhere(task => task.IsCompleted);
            logger.LogWorkerStopping(claim.Worker!, running.Count);
        }

        using var drainTimer = time.CreateTimer(_ => drained.CancelSafely(logger), null, options.DrainTime, Timeout.InfiniteTimeSpan);
        using var endTimer = time.CreateTimer(_ => over.CancelSafely(logger), null, options.DrainTime + EndTime, Timeout.InfiniteTimeSpan);
        await Task.WhenAll(running).ConfigureAwait(false);

        async Task RunAsync(RunInfo run)
        {
            try
            {
                await new ClaimedRun(services, tasks[run.TaskId!], run).RunAsync(drained.Token, over.Token).ConfigureAwait(false);
            }
            finally
            {
                places.Release();
            }
        }
    }

    /// <summary>Claims until there is a run. While the server is away or refuses, longer and longer waits with jitter.</summary>
    private async Task<RunInfo> ClaimAsync(CancellationToken stoppingToken)
    {
        string[] ids = [.. tasks.Keys];
        var wait = MinWait;
        while (true)
        {
            try
            {
                if (await client.Runs.ClaimAsync(ids, claim, stoppingToken).ConfigureAwait(false) is { TaskId: { } id } run && tasks.ContainsKey(id)) return run;
                wait = MinWait;
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                // The host's other work goes on without the server, so this does not stop it either. Nor does what a handler of the HttpClient throws.
                var jittered = wait * (1 - (Random.Shared.NextDouble() / 2));
                logger.LogClaimFailed(jittered, failure);
                await Task.Delay(jittered, time, stoppingToken).ConfigureAwait(false);
                wait = wait * 2 < MaxWait ? wait * 2 : MaxWait;
            }
        }
    }
}
