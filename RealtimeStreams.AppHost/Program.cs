using RealtimeStreams.AppHost.Showing;
using RealtimeStreams.AppHost.WithAspire;

var builder = DistributedApplication.CreateBuilder(args);

builder.AddKubernetesEnvironment("k8s")
    .WithHelm(helm => helm
        .WithChartName("realtimestreams")
        .WithChartVersion("0.1.0")
        .WithNamespace("realtimestreams")
        .WithReleaseName("realtimestreams"))
    .WithProperties(cluster =>
    {
        cluster.DefaultStorageType = "pvc"; // Otherwise a restarted broker begins with an empty log.
        cluster.DefaultStorageSize = "10Gi";
    })
    .WithDashboard(false);

var secretKey = builder.AddParameter("secret-key", () => DevelopmentKey.ReadOrMake(LocalData.Directory), secret: true);

var server = builder.AddProject<Projects.RealtimeStreams_Server>("server", launchProfileName: null)
    .WithEnvironment("RealtimeStreams__SecretKey", secretKey)
    .WithHttpEndpoint(port: builder.ExecutionContext.IsRunMode ? LocalData.UsualPort : null)
    .WithHttpProbe(ProbeType.Readiness, "/health", endpointName: "http")
    .WithHttpProbe(ProbeType.Liveness, "/alive", endpointName: "http")
    .WithExternalHttpEndpoints();

if (builder.ExecutionContext.IsPublishMode || await ContainerRuntime.IsRunningAsync())
{
    var nats = builder.AddNats("nats").WithJetStream().WithDataVolume("realtimestreams-nats").WithPublishableCredentials();
    var registry = builder.AddPostgres("postgres").WithDataVolume("realtimestreams-postgres").AddDatabase("registry");
    server.WithReference(nats).WithReference(registry).WaitFor(nats).WaitFor(registry).WithReplicas(3);
}
else
{
    // Without containers the server brings its own broker and database, and so there can be only one of it.
    server.WithEnvironment("RealtimeStreams__DataDirectory", LocalData.Directory);
}

if (builder.ExecutionContext.IsPublishMode)
{
    await using var publishing = builder.Build();
    await publishing.RunAsync();
    return;
}

server.WithEnvironment("ASPNETCORE_ENVIRONMENT", "Development").WithEnvironment("RealtimeStreams__Greeting", "false");
var demo = builder.AddProject<Projects.DemoWorker>("demo-worker", launchProfileName: null)
    .WithHttpEndpoint(port: LocalData.UsualDemoPort)
    .WithEnvironment("RealtimeStreams__Client__BaseAddress", server.GetEndpoint("http"))
    .WithEnvironment("RealtimeStreams__Client__SecretKey", secretKey)
    .WaitFor(server);

await using var app = builder.Build();
await app.RunAndShowAsync(server, demo, secretKey);
