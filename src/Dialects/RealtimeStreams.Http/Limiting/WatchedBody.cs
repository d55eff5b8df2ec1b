using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace RealtimeStreams.Http.Limiting;

/// <summary>An answer's body in which every write is watched, by whichever way it is written.</summary>
internal sealed class WatchedBody(IHttpResponseBodyFeature inner, HttpContext context, TimeSpan patience, LimitTelemetry telemetry, TimeProvider clock) : IHttpResponseBodyFeature
{
    private WatchedOutput? writer;
    private Stream? stream;

    public PipeWriter Writer => writer ??= new WatchedOutput(inner.Writer, this);

    public Stream Stream => stream ??= Writer.AsStream(leaveOpen: true);

    public TimeSpan Patience => patience;

    public void DisableBuffering() => inner.DisableBuffering();

    public Task StartAsync(CancellationToken cancellationToken = default) => inner.StartAsync(cancellationToken);

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);

    public Task CompleteAsync() => inner.CompleteAsync();

    /// <summary>Makes what cuts the reader off. It is off; and gone, with whatever it is about to do, before the request's context is another's.</summary>
    public ITimer NewTimer()
    {
        var timer = clock.CreateTimer(static body => ((WatchedBody)body!).GiveUp(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        context.Response.RegisterForDisposeAsync(timer);
        return timer;
    }

    private void GiveUp()
    {
        telemetry.RecordStalledReader();
        context.Abort();
    }
}
