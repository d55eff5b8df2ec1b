using System.Net.Http.Headers;
using System.Text;
using RealtimeStreams.Benchmarks.Baseline;
using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Benchmarks.Product;

namespace RealtimeStreams.Benchmarks.Rows;

/// <summary>One append over HTTP with nothing beside it.</summary>
internal sealed class Append : Row
{
    private const int Bytes = 200;

    public override string Id => "append";

    public override string Title => "one append over HTTP, acknowledged";

    public override string Baseline => "NATS.Net JetStream publish, one in flight";

    public override async Task<IReadOnlyList<Figure>> MeasureAsync(RowContext context, CancellationToken cancellationToken)
    {
        var (broker, server) = await context.Stage.GetAsync(cancellationToken);
        await using var plain = await PlainStream.CreateAsync(broker, cancellationToken);
        var chunk = Chunks.OfBytes(Bytes);
        var path = await server.NewStreamAsync(cancellationToken);
        using var appends = await Appends.OpenAsync(server, path, cancellationToken);
        var request = appends.RequestFor(chunk);

        var rounds = new Rounds()
            .Add("publish", async _ => Shares(await ClosedLoop.TimeAsync(context.Slice, () => plain.PublishAsync(chunk))))
            .Add("HttpClient", async cancellation => Shares(await ClosedLoop.TimeAsync(context.Slice, () => PostAsync(server.Client, path, chunk, cancellation))))
            .Add("socket", async cancellation => Shares(await ClosedLoop.TimeAsync(context.Slice, () => appends.AppendAsync(request, cancellation))));
        using var refused = await BareConnection.OpenAsync(server.Address, cancellationToken);
        var withoutKey = Encoding.ASCII.GetBytes($"GET /api/v1/runs HTTP/1.1\r\nHost: {server.Address.Authority}\r\n\r\n");
        rounds.Add("refused", async cancellation => Shares(await ClosedLoop.TimeAsync(context.Slice, () => RefuseAsync(refused, withoutKey, cancellation))));
        await rounds.RunAsync(context.Rounds, cancellationToken);
        return
        [
            rounds.Compare("p50, from HttpClient", "ms", "publish", "HttpClient", Target.AtMost(2.5)),
            rounds.Compare("p50, from a bare socket", "ms", "publish", "socket", null),
            rounds.Compare("p50, HTTP alone: a request refused for want of a key", "ms", "publish", "refused", null),
            rounds.Compare("p99, from HttpClient", "ms", "publish", "HttpClient", null, value: 1),
        ];
    }

    private static async Task PostAsync(HttpClient client, string path, byte[] chunk, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(chunk) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var answer = await client.PostAsync(path, content, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    private static async Task RefuseAsync(BareConnection connection, byte[] request, CancellationToken cancellationToken)
    {
        await connection.SendAsync(request, cancellationToken);
        if (await connection.ReadHeadAsync(cancellationToken) != 401) throw new InvalidOperationException("A request without a key was not refused.");
        await connection.ReadWholeBodyAsync(cancellationToken);
    }

    private static double[] Shares(Samples samples) => [samples.Percentile(0.5), samples.Percentile(0.99)];
}
