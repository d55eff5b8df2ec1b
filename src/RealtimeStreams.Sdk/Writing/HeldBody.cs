using System.Net;
using System.Net.Http.Headers;

namespace RealtimeStreams.Sdk.Writing;

/// <summary>A body of lines that has none, and stays open until it is ended.</summary>
internal sealed class HeldBody : HttpContent
{
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public HeldBody() => Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");

    public void End() => ended.TrySetResult();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false); // The head of the request goes out at once.
        await ended.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
