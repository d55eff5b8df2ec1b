using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using RealtimeStreams.Dialects.Trigger.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Writing;

/// <summary>What a v2 writer needs to write to a stream through S2: where, under which name, and a token that is good for nothing else.</summary>
internal sealed class S2Access(IAccessTokens tokens, IOptions<TriggerDialectOptions> options)
{
    private const string Path = "/v1";

    // Writers use it again for as long as their process runs; one that is refused asks for another.
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromDays(1);

    /// <summary>Tells it in the answer's headers.</summary>
    /// <returns>False when the stream's name cannot stand in a header; such streams are written with the v1 writer.</returns>
    public async Task<bool> TryTellAsync(HttpContext context, Caller caller, StreamAddress stream, CancellationToken cancellationToken)
    {
        var name = S2Names.StreamOf(stream.Run, stream.Key);
        if (name.Any(letter => letter is < ' ' or > '~') || name.EndsWith(' ')) return false;
        var scope = $"append:streams:{S2Names.EscapeRun(stream.Run)}/{stream.Key}";
        var headers = context.Response.Headers;
        headers["X-S2-Access-Token"] = (await tokens.IssueAsync(stream.Environment, [scope], TokenLifetime, caller.Credential.Name, cancellationToken)).Token;
        headers["X-S2-Basin"] = S2Names.BasinOf(stream.Environment);
        headers["X-S2-Endpoint"] = EndpointOf(context.Request);
        headers["X-S2-Stream-Name"] = name;
        headers["X-S2-Flush-Interval-Ms"] = ((int)options.Value.FlushInterval.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        return true;
    }

    private string EndpointOf(HttpRequest request) =>
        options.Value.Endpoint is { Length: > 0 } endpoint ? endpoint.TrimEnd('/') : $"{request.Scheme}://{request.Host}{request.PathBase}{Path}";
}
