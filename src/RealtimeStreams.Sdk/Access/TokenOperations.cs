using System.Net.Http.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Http;

namespace RealtimeStreams.Sdk.Access;

/// <summary>The client's operations on tokens. A token whose answer was lost is issued again; the first one expires unused.</summary>
internal sealed class TokenOperations(Transport transport) : ITokens
{
    public Task<TokenInfo> IssueAsync(IReadOnlyList<string> scopes, TimeSpan? lifetime, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scopes);
        if (lifetime is { } asked && (asked.TotalSeconds is < 1 or > int.MaxValue || asked.Ticks % TimeSpan.TicksPerSecond != 0))
            throw new ArgumentOutOfRangeException(nameof(lifetime), lifetime, "The lifetime must be whole seconds, at least one.");
        var body = new IssueToken(scopes, (int?)lifetime?.TotalSeconds);
        return transport.SendAsync(
            "issue_token",
            () => transport.NewRequest(HttpMethod.Post, Paths.Tokens, JsonContent.Create(body, NativeJson.Default.IssueToken)),
            NativeJson.Default.TokenInfo,
            cancellationToken);
    }

    public Task RevokeAsync(string tokenId, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(tokenId);
        return transport.SendAsync(
            "revoke_token",
            () => transport.NewRequest(HttpMethod.Delete, $"{Paths.Tokens}/{Uri.EscapeDataString(tokenId)}"),
            (_, _) => ValueTask.FromResult<object?>(this),
            cancellationToken);
    }

    public async Task<DateTimeOffset> RevokeAllAsync(CancellationToken cancellationToken) => (await transport.SendAsync(
        "revoke_all_tokens",
        () => transport.NewRequest(HttpMethod.Post, $"{Paths.Tokens}/revoke-all"),
        NativeJson.Default.RevokedTokens,
        cancellationToken).ConfigureAwait(false)).IssuedUntil;
}
