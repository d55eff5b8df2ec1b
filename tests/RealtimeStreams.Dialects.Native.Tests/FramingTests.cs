using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.Native.Reading;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Dialects.Native.Tests;

/// <summary>Chunks that other dialects wrote, in each of the native framings. The record is a stored one, from a broker.</summary>
public sealed class FramingTests : IAsyncLifetime
{
    private static readonly string[] json = ["{\"a\": 1}", "{ \"b\":  2}", "\"say \\\"hi\\\"\\n\"", "\"/wA=\"", "\"\""];

    private TestBroker broker = null!;
    private IHost host = null!;
    private LogRecord record = null!;

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddMetrics();
        builder.Services.AddSingleton<IBrokerLocation>(new FixedLocation(broker.Url));
        builder.AddChunkLog();
        host = builder.Build();
        await host.StartAsync();

        var log = host.Services.GetRequiredService<IChunkLog>();
        var stream = new StreamAddress(EnvironmentId.Parse("test"), RunId.Parse("run"), StreamKey.Default);
        var batch = new ChunkBatch();
        var attributes = new ArrayBufferWriter<byte>();
        ChunkAttributes.WritePartId(attributes, "part"u8);
        foreach (var body in (byte[][])["{\"a\": 1}"u8.ToArray(), "{\r\"b\":\n 2}"u8.ToArray(), "say \"hi\"\n"u8.ToArray(), [0xFF, 0x00], []])
            batch.Add(body, ChunkForms.Of(body), attributes.WrittenSpan);
        Assert.IsType<AppendOutcome.Stored>(await log.AppendAsync(stream, batch, new StreamLimits(long.MaxValue, long.MaxValue), CancellationToken.None));
        record = Assert.Single(await log.ReadStoredAsync(stream, ChunkIndex.Zero, null, CancellationToken.None));
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
        await broker.DisposeAsync();
    }

    [Fact]
    public void Whatever_a_chunk_is_a_native_reader_gets_one_line_of_json()
    {
        Assert.Equal(string.Concat(json.Select((line, i) => $"id: {i}\ndata: {line}\n\n")), Encoding.UTF8.GetString(record.Framed(SseFormat.Instance).From(default).Span));
        Assert.Equal(
            string.Concat(json.Select((line, i) => $"{{\"index\":{i},\"data\":{line}}}\n")), Encoding.UTF8.GetString(record.Framed(LinesFormat.Instance).From(default).Span));
    }

    [Fact]
    public async Task A_page_holds_them_too()
    {
        var steps = new ScriptedRead(new FakeTimeProvider(), new ReadStep(ReadStepKind.Chunks, default, record), new ReadStep(ReadStepKind.CaughtUp, record.NextIndex));
        var page = new ChunkPage(steps, limit: json.Length);
        Assert.True(await page.FetchAsync(null, TestContext.Current.CancellationToken));
        using var sent = new MemoryStream();
        await page.WriteAsync(PipeWriter.Create(sent), null, null, TestContext.Current.CancellationToken);
        using var document = JsonDocument.Parse(sent.ToArray());
        Assert.Equal(json, document.RootElement.GetProperty("chunks").EnumerateArray().Select(chunk => chunk.GetProperty("data").GetRawText()));
    }

    [Fact]
    public async Task A_page_of_megabytes_goes_out_in_pieces_of_which_none_waits_for_the_next()
    {
        var step = new ReadStep(ReadStepKind.Chunks, default, record);
        var rounds = 2 * 64 * 1024 / json.Sum(line => line.Length);
        var page = new ChunkPage(new ScriptedRead(new FakeTimeProvider(), [.. Enumerable.Repeat(step, rounds), new ReadStep(ReadStepKind.CaughtUp, record.NextIndex)]), limit: int.MaxValue);
        Assert.True(await page.FetchAsync(null, TestContext.Current.CancellationToken));
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1)); // Of a reader who takes nothing yet.

        var writing = page.WriteAsync(pipe.Writer, null, null, TestContext.Current.CancellationToken);
        var first = await pipe.Reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.False(writing.IsCompleted);
        Assert.InRange(first.Buffer.Length, 64 * 1024, 96 * 1024);

        using var sent = new MemoryStream();
        pipe.Reader.AdvanceTo(first.Buffer.Start);
        var reading = pipe.Reader.CopyToAsync(sent, TestContext.Current.CancellationToken);
        await writing;
        await pipe.Writer.CompleteAsync();
        await reading;
        using var document = JsonDocument.Parse(sent.ToArray());
        Assert.Equal(rounds * json.Length, document.RootElement.GetProperty("chunks").GetArrayLength());
    }

    [Fact]
    public async Task What_is_given_up_behind_chunks_that_were_sent_is_told_from_there_on()
    {
        var clock = new FakeTimeProvider();
        var steps = new ScriptedRead(
            clock,
            new ReadStep(ReadStepKind.Chunks, new ChunkIndex(4), record),
            new ReadStep(ReadStepKind.Trimmed, new ChunkIndex(7)),
            new ReadStep(ReadStepKind.Trimmed, new ChunkIndex(9)),
            new ReadStep(ReadStepKind.Ended, new ChunkIndex(9), Outcome: Outcome.Completed));
        var sent = new MemoryStream();
        var output = PipeWriter.Create(sent);
        using var watch = new ScriptedWatch();
        await new Feed(steps, LinesFormat.Instance, output, null, clock).SendAsync(4, watch, CancellationToken.None, TestContext.Current.CancellationToken);
        await output.CompleteAsync();
        Assert.StartsWith(
            "\n{\"index\":4,\"data\":\"\"}\n{\"event\":\"trimmed\",\"requestedIndex\":5,\"firstIndex\":7}\n{\"event\":\"trimmed\",\"requestedIndex\":7,\"firstIndex\":9}\n{\"event\":\"end\"",
            Encoding.UTF8.GetString(sent.ToArray()),
            StringComparison.Ordinal);
    }

    private sealed class FixedLocation(string url) : IBrokerLocation
    {
        public ValueTask<BrokerLocation> GetAsync(CancellationToken cancellationToken) => new(new BrokerLocation(url, null));
    }
}
