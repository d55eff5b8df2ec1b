using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Requests;

/// <summary>Who asks, and for what. The gate has checked it.</summary>
/// <param name="Credential">With what.</param>
/// <param name="Stream">The stream in the path; null where the route has none.</param>
/// <param name="Permit">What the token allows; null: it is the secret key, which allows everything.</param>
internal sealed record Call(Credential Credential, StreamName? Stream, Permit? Permit)
{
    /// <summary>The environment that the credential opens.</summary>
    public EnvironmentId Environment => Credential.Environment;

    /// <summary>Whether the credential allows the operation on the stream in the path.</summary>
    public bool Allows(string operation) => Permit is null || (Stream is not null && Permit.Allows(operation, Stream));

    public static ValueTask<Call> BindAsync(HttpContext context) => ValueTask.FromResult(context.Features.GetRequiredFeature<Call>());
}

/// <summary>A stream's name in S2's words, and which stream of a run that is.</summary>
/// <param name="Text">The name, 1 to 512 bytes of UTF-8.</param>
/// <param name="Run">The run; null for a stream outside of runs.</param>
/// <param name="Key">The stream's key within the run.</param>
internal sealed record StreamName(string Text, RunId? Run, StreamKey Key)
{
    private const int MaxBytes = 512;

    /// <summary>Reads a name.</summary>
    /// <returns>Null when it can be none.</returns>
    public static StreamName? TryParse(string? text)
    {
        if (text is null or "" or "." or ".." || text.Contains('\0', StringComparison.Ordinal)) return null;
        if (System.Text.Encoding.UTF8.GetByteCount(text) > MaxBytes) return null;
        return S2Names.TryParse(text, out var run, out var key) ? new StreamName(text, run, key) : new StreamName(text, null, default);
    }
}
