using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Tests;

/// <summary>A watch that ends when it is told to, of whatever credential.</summary>
internal sealed class ScriptedWatch : IAccessWatch, ICredentials
{
    private readonly CancellationTokenSource ended = new();

    public CancellationToken Ended => ended.Token;

    public AccessEnd? End { get; private set; }

    public void Finish(AccessEnd end)
    {
        End = end;
        ended.Cancel();
    }

    public IAccessWatch Watch(Credential credential) => this;

    public ValueTask<Credential?> FindAsync(string bearer, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Credential?> FindKnownAsync(string bearer, CancellationToken cancellationToken) => FindAsync(bearer, cancellationToken);

    public void CountForbidden() => throw new NotSupportedException();

    public void Dispose()
    {
        // Watched once and looked at afterwards; nothing is held.
    }
}
