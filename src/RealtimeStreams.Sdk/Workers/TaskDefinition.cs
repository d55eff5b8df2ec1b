using System.Text.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Json;

namespace RealtimeStreams.Sdk.Workers;

/// <summary>A task that this host runs, between JSON and JSON.</summary>
internal abstract class TaskDefinition(string taskId)
{
    public string TaskId => taskId;

    /// <summary>Does the work.</summary>
    /// <returns>The output; null for none.</returns>
    public abstract Task<JsonElement?> RunAsync(
        IServiceProvider services, RunContext run, RunInfo claimed, ChunkJson json, CancellationToken cancellationToken);
}

/// <inheritdoc />
internal sealed class TaskDefinition<TPayload, TOutput>(
    string taskId, Func<IServiceProvider, RunContext, TPayload, CancellationToken, Task<TOutput>> handler) : TaskDefinition(taskId)
{
    public override async Task<JsonElement?> RunAsync(
        IServiceProvider services, RunContext run, RunInfo claimed, ChunkJson json, CancellationToken cancellationToken)
    {
        var payload = TaskJson.ReadPayload(claimed, json.Get<TPayload>($"The task '{TaskId}' is given"));
        var contract = json.Get<TOutput>($"The task '{TaskId}' gives"); // Before the work, which would be in vain without it.
        return TaskJson.Write(await handler(services, run, payload, cancellationToken).ConfigureAwait(false), contract);
    }
}

/// <inheritdoc />
internal sealed class TaskDefinition<TPayload>(
    string taskId, Func<IServiceProvider, RunContext, TPayload, CancellationToken, Task> handler) : TaskDefinition(taskId)
{
    public override async Task<JsonElement?> RunAsync(
        IServiceProvider services, RunContext run, RunInfo claimed, ChunkJson json, CancellationToken cancellationToken)
    {
        var payload = TaskJson.ReadPayload(claimed, json.Get<TPayload>($"The task '{TaskId}' is given"));
        await handler(services, run, payload, cancellationToken).ConfigureAwait(false);
        return null;
    }
}
