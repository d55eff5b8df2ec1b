using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using RealtimeStreams.Sdk.Workers;

namespace RealtimeStreams.Sdk;

/// <summary>Has a host run triggered tasks.</summary>
/// <remarks>
/// All tasks of a host are served by one background service with <see cref="RealtimeStreamsWorkerOptions"/>: it claims triggered runs, makes each the
/// run that is going on, renews the claim, waits for the run's pipes, and completes it. A run is given to one worker at a time, and again to
/// another when its worker died; so a task may be begun more than once, and should bear that. Payloads and outputs have the JSON contracts of
/// <see cref="RealtimeStreamsClientOptions.SerializerOptions"/>. Adds the client too, unless there is one.
/// </remarks>
public static class RealtimeStreamsTaskExtensions
{
    /// <summary>Runs a task by a delegate that gives an output.</summary>
    /// <typeparam name="TPayload">What the task is given.</typeparam>
    /// <typeparam name="TOutput">What it gives.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <param name="taskId">The task, 1 to 256 bytes, once a host.</param>
    /// <param name="handler">Does the work of one run, under the rules of <see cref="IRealtimeStreamsTask{TPayload, TOutput}.RunAsync"/>.</param>
    public static IServiceCollection AddRealtimeStreamsTask<TPayload, TOutput>(
        this IServiceCollection services, string taskId, Func<RunContext, TPayload, CancellationToken, Task<TOutput>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return services.AddTask(new TaskDefinition<TPayload, TOutput>(Check(taskId), (_, run, payload, token) => handler(run, payload, token)));
    }

    /// <summary>Runs a task by a delegate.</summary>
    /// <inheritdoc cref="AddRealtimeStreamsTask{TPayload, TOutput}(IServiceCollection, string, Func{RunContext, TPayload, CancellationToken, Task{TOutput}})" path="/typeparam[@name='TPayload']|/param" />
    public static IServiceCollection AddRealtimeStreamsTask<TPayload>(
        this IServiceCollection services, string taskId, Func<RunContext, TPayload, CancellationToken, Task> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return services.AddTask(new TaskDefinition<TPayload>(Check(taskId), (_, run, payload, token) => handler(run, payload, token)));
    }

    /// <summary>Runs a task by a class that gives an output, made for each run in a scope of its own.</summary>
    /// <typeparam name="TPayload">What the task is given.</typeparam>
    /// <typeparam name="TOutput">What it gives.</typeparam>
    /// <typeparam name="THandler">The class, added as scoped unless it is there.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <param name="taskId">The task, 1 to 256 bytes, once a host.</param>
    public static IServiceCollection AddRealtimeStreamsTask<
        TPayload, TOutput, [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this IServiceCollection services, string taskId)
        where THandler : class, IRealtimeStreamsTask<TPayload, TOutput>
    {
        services.TryAddScoped<THandler>();
        return services.AddTask(new TaskDefinition<TPayload, TOutput>(
            Check(taskId), (scope, run, payload, token) => scope.GetRequiredService<THandler>().RunAsync(run, payload, token)));
    }

    /// <summary>Runs a task by a class, made for each run in a scope of its own.</summary>
    /// <inheritdoc cref="AddRealtimeStreamsTask{TPayload, TOutput, THandler}(IServiceCollection, string)" path="/typeparam[@name!='TOutput']|/param" />
    public static IServiceCollection AddRealtimeStreamsTask<
        TPayload, [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this IServiceCollection services, string taskId)
        where THandler : class, IRealtimeStreamsTask<TPayload>
    {
        services.TryAddScoped<THandler>();
        return services.AddTask(new TaskDefinition<TPayload>(
            Check(taskId), (scope, run, payload, token) => scope.GetRequiredService<THandler>().RunAsync(run, payload, token)));
    }

    private static IServiceCollection AddTask(this IServiceCollection services, TaskDefinition task)
    {
        if (!services.Any(service => service.ServiceType == typeof(IRealtimeStreamsClient))) services.AddRealtimeStreams();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<RealtimeStreamsWorkerOptions>, WorkerSettings>(
            provider => new WorkerSettings(provider.GetService<IConfiguration>())));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RealtimeStreamsWorkerOptions>, WorkerSettings>(
            _ => new WorkerSettings()));
        services.AddOptions<RealtimeStreamsWorkerOptions>().ValidateOnStart();
        services.AddSingleton(task);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, TaskWorker>());
        return services;
    }

    private static string Check(string taskId)
    {
        ArgumentException.ThrowIfNullOrEmpty(taskId);
        return taskId;
    }
}
