using Microsoft.Extensions.Hosting;

namespace RealtimeStreams.Dialects.Native.Tests;

/// <summary>A server that stops when it is told to.</summary>
internal sealed class ScriptedLifetime(CancellationToken stopping) : IHostApplicationLifetime
{
    public CancellationToken ApplicationStarted => CancellationToken.None;

    public CancellationToken ApplicationStopping => stopping;

    public CancellationToken ApplicationStopped => CancellationToken.None;

    public void StopApplication() => throw new NotSupportedException();
}
