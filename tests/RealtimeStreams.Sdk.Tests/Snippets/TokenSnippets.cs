using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk.Tests.Snippets;

/// <summary>The C# of docs/tokens.md.</summary>
internal static class TokenSnippets
{
    public static async Task IssueAsync(IRealtimeStreamsClient backend, RunInfo run)
    {
        TokenInfo issued = await backend.Tokens.IssueAsync([AccessScopes.ReadStream(run.Id, "progress")], TimeSpan.FromMinutes(15));
    }

    public static async Task RenewAsync(Uri address, RunInfo run, HttpClient ownBackend)
    {
        var progress = RealtimeStream.Define<int>("progress");

        using var client = new RealtimeStreamsClient(new RealtimeStreamsClientOptions
        {
            BaseAddress = address,
            AccessTokenProvider = HandOutAsync, // ValueTask<string> HandOutAsync(CancellationToken): usually a request to one's own backend.
        });
        await foreach (var percent in client.Streams.ReadAsync(progress, run.Id)) Console.Write($"{percent} ");

        async ValueTask<string> HandOutAsync(CancellationToken cancellationToken) => await ownBackend.GetStringAsync("/token", cancellationToken);
    }

    public static async Task RevokeAsync(IRealtimeStreamsClient backend, TokenInfo issued)
    {
        await backend.Tokens.RevokeAsync(issued.Id);       // One.
        await backend.Tokens.RevokeAllAsync();             // All of the environment that were made until now, whoever signed them.
    }
}
