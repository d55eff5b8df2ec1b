using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RealtimeStreams.AppHost.Showing;

namespace RealtimeStreams.AppHost.WithAspire;

internal static class StackRun
{
    /// <summary>Runs the stack to its end, and shows it once its server is healthy.</summary>
    public static async Task RunAndShowAsync(
        this DistributedApplication app,
        IResourceBuilder<ProjectResource> server,
        IResourceBuilder<ProjectResource> demo,
        IResourceBuilder<ParameterResource> secretKey)
    {
        var ending = app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        await app.StartAsync(ending);
        try
        {
            await app.Services.GetRequiredService<ResourceNotificationService>().WaitForResourceHealthyAsync(server.Resource.Name, ending);
            var key = await secretKey.Resource.GetValueAsync(ending) ?? throw new InvalidOperationException("The secret key has no value.");
            using var running = new RunningStack(new Uri(server.GetEndpoint("http").Url), key);
            await running.ShowAsync("see the link that Aspire printed above", new Uri(demo.GetEndpoint("http").Url), ending);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // Asked to stop before all was up.
        }

        await app.WaitForShutdownAsync(CancellationToken.None);
    }
}
