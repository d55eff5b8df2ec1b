using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Dialects.Native.Tests;
using RealtimeStreams.Dialects.Trigger.Reading;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;

namespace RealtimeStreams.Dialects.Trigger.Tests;

public sealed class BatchFormatTests
{
    private readonly FakeTimeProvider clock = new(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000));

    [Fact]
    public async Task Silence_is_broken_by_a_ping_at_once_and_every_15_seconds()
    {
        var read = new ScriptedRead(clock, new ReadStep(ReadStepKind.CaughtUp, new ChunkIndex(7)));
        var sent = new MemoryStream();

        var output = PipeWriter.Create(sent);
        var end = await new FeedLoop(read, new BatchFormat(EnvelopeRecords.Output, clock), output, TimeSpan.FromSeconds(40), clock)
            .SendAsync(TestContext.Current.CancellationToken);
        await output.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(FeedEnd.TimedOut, end);
        Assert.Equal(
            string.Concat(new[] { 0, 15, 30 }.Select(second =>
                $"event: ping\ndata: {{\"timestamp\":{1_700_000_000_000 + second * 1000},\"tail\":{{\"seq_num\":7,\"timestamp\":0}}}}\n\n")),
            Encoding.UTF8.GetString(sent.ToArray()));
    }
}
