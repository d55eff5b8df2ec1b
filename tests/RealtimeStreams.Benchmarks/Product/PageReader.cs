using System.Text;
using System.Text.Json;

namespace RealtimeStreams.Benchmarks.Product;

/// <summary>Reads JSON pages over one bare connection.</summary>
internal sealed class PageReader(ServerUnderTest server, BareConnection connection) : IDisposable
{
    public static async Task<PageReader> OpenAsync(ServerUnderTest server, CancellationToken cancellationToken) =>
        new(server, await BareConnection.OpenAsync(server.Address, cancellationToken));

    public async Task<JsonDocument> ReadAsync(string pathAndQuery, CancellationToken cancellationToken)
    {
        await connection.SendAsync(
            Encoding.ASCII.GetBytes(
                $"GET {pathAndQuery} HTTP/1.1\r\nHost: {server.Address.Authority}\r\nAuthorization: Bearer {server.SecretKey}\r\nAccept: application/json\r\n\r\n"),
            cancellationToken);
        var status = await connection.ReadHeadAsync(cancellationToken);
        var body = await connection.ReadWholeBodyAsync(cancellationToken);
        return status == 200
            ? JsonDocument.Parse(body)
            : throw new InvalidOperationException($"A page was answered with {status}: {Encoding.UTF8.GetString(body)}");
    }

    public void Dispose() => connection.Dispose();
}
