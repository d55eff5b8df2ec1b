using System.Globalization;
using System.Text;
using System.Text.Json;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Benchmarks.Product;

/// <summary>Appends over one bare connection.</summary>
internal sealed class Appends(ServerUnderTest server, string path, BareConnection connection) : IDisposable
{
    private byte[] open = [];

    public static async Task<Appends> OpenAsync(ServerUnderTest server, string path, CancellationToken cancellationToken) =>
        new(server, path, await BareConnection.OpenAsync(server.Address, cancellationToken));

    /// <summary>The bytes of a request that appends one chunk.</summary>
    public byte[] RequestFor(ReadOnlySpan<byte> chunk) =>
        [.. Head($"Content-Type: application/json\r\nContent-Length: {chunk.Length.ToString(CultureInfo.InvariantCulture)}\r\n"), .. chunk];

    /// <summary>Sends a request made before and waits for the confirmation.</summary>
    public async Task<AppendReceipt> AppendAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        await connection.SendAsync(request, cancellationToken);
        return await ReadReceiptAsync(cancellationToken);
    }

    /// <summary>Begins an open-ended body of lines.</summary>
    public ValueTask BeginAsync(string producer, CancellationToken cancellationToken)
    {
        open = Head(
            $"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n{NativeHeaders.ProducerId}: {producer}\r\n{NativeHeaders.ProducerSequence}: 0\r\n");
        return connection.SendAsync(open, cancellationToken);
    }

    /// <summary>A piece of an open-ended body.</summary>
    public static byte[] PieceOf(byte[] chunk, int count)
    {
        var line = (byte[])[.. chunk, (byte)'\n'];
        var lines = Enumerable.Repeat(line, count).SelectMany(bytes => bytes).ToArray();
        return [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{lines.Length:x}\r\n")), .. lines, .. "\r\n"u8];
    }

    public ValueTask SendAsync(ReadOnlyMemory<byte> piece, CancellationToken cancellationToken) => connection.SendAsync(piece, cancellationToken);

    /// <summary>Ends the body and waits for the confirmation of all of it.</summary>
    public async Task<AppendReceipt> EndAsync(CancellationToken cancellationToken)
    {
        await connection.SendAsync("0\r\n\r\n"u8.ToArray(), cancellationToken);
        return await ReadReceiptAsync(cancellationToken);
    }

    public void Dispose() => connection.Dispose();

    private byte[] Head(string headers) => Encoding.ASCII.GetBytes(
        $"POST {path} HTTP/1.1\r\nHost: {server.Address.Authority}\r\nAuthorization: Bearer {server.SecretKey}\r\n{headers}\r\n");

    private async Task<AppendReceipt> ReadReceiptAsync(CancellationToken cancellationToken)
    {
        var status = await connection.ReadHeadAsync(cancellationToken);
        var body = await connection.ReadWholeBodyAsync(cancellationToken);
        if (status != 200) throw new InvalidOperationException($"An append was answered with {status}: {Encoding.UTF8.GetString(body)}");
        return JsonSerializer.Deserialize(body, NativeJson.Default.AppendReceipt)!;
    }
}
