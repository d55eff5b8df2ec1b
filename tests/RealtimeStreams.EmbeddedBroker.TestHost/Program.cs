using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

using RealtimeStreams.EmbeddedBroker;

var builder = Host.CreateApplicationBuilder(args);
builder.Logging.ClearProviders();
builder.AddEmbeddedBroker();
using var host = builder.Build();
await host.StartAsync();
var broker = host.Services.GetRequiredService<IEmbeddedBroker>();
Console.WriteLine($"{broker.ProcessId} {(await broker.GetAddressAsync(CancellationToken.None)).Url}");
await host.WaitForShutdownAsync();
