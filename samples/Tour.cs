#:project ../src/RealtimeStreams.Sdk
#:project ../src/RealtimeStreams.Protocol
#:package Microsoft.Extensions.Hosting

// A worker and a reader in one program. While the stack runs: dotnet run samples/Tour.cs -- SECRET_KEY
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;

var builder = Host.CreateApplicationBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddRealtimeStreams(options =>
{
    options.BaseAddress = new Uri("http://127.0.0.1:5217");
    options.SecretKey = args[0];
});
using var host = builder.Build();
var client = host.Services.GetRequiredService<IRealtimeStreamsClient>();
var rows = RealtimeStream.Define("rows", TourJson.Default.RowsImported); // Shared by whoever writes and whoever reads.

var run = await client.Runs.RegisterAsync(new RegisterRun(TaskId: "import"));
var work = client.Runs.RunAsync(new RegisterRun(run.Id, "import"), async (_, cancellationToken) =>
{
    var pipe = rows.Pipe(ImportAsync(), cancellationToken: cancellationToken); // Returns at once.
    await pipe.WaitUntilCompleteAsync(cancellationToken);                      // All is stored.
});

var read = client.Streams.ReadAsync(rows, run.Id); // From the beginning, live, over lost connections, until the stream ends.
await foreach (var (index, chunk) in read.Items)
    Console.WriteLine($"{index}: {chunk.Count} rows");
Console.WriteLine($"{read.Ending}: {read.Outcome}");
await work;

static async IAsyncEnumerable<RowsImported> ImportAsync()
{
    for (var count = 100; count <= 500; count += 100)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
        yield return new RowsImported(count);
    }
}

internal sealed record RowsImported(int Count);

[JsonSerializable(typeof(RowsImported))]
internal sealed partial class TourJson : JsonSerializerContext;
