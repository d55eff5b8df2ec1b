using System.IO.Pipelines;
using System.Net;

namespace RealtimeStreams.Dialects.Trigger.Tests;

/// <summary>A request's body without an end in sight, sent as it is written.</summary>
internal sealed class PipeContent(PipeReader reader) : HttpContent
{
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.FlushAsync(TestContext.Current.CancellationToken);
        while (true)
        {
            var result = await reader.ReadAsync(TestContext.Current.CancellationToken);
            foreach (var segment in result.Buffer) await stream.WriteAsync(segment, TestContext.Current.CancellationToken);
            await stream.FlushAsync(TestContext.Current.CancellationToken);
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted) return;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
