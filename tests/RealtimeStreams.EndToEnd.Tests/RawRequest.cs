using System.Globalization;
using System.Net.Sockets;
using System.Text;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>A request written by hand, which can be cut anywhere.</summary>
internal sealed class RawRequest : IAsyncDisposable
{
    private readonly TcpClient connection;
    private readonly NetworkStream stream;

    private RawRequest(TcpClient connection)
    {
        this.connection = connection;
        stream = connection.GetStream();
    }

    /// <summary>A connection on which nothing was said yet.</summary>
    public static async Task<RawRequest> ConnectAsync(int port)
    {
        var connection = new TcpClient();
        await connection.ConnectAsync("127.0.0.1", port, Api.Cancellation);
        return new RawRequest(connection);
    }

    /// <summary>Says something, as it stands.</summary>
    public Task SendAsync(string text) => WriteAsync(text);

    /// <summary>Begins a chunked POST of NDJSON.</summary>
    public static async Task<RawRequest> PostLinesAsync(
        ServerProcess server, string path, (string Name, string? Value)[] headers, string? credential = null)
    {
        var connection = new TcpClient();
        await connection.ConnectAsync(server.Address.Host, server.Address.Port, Api.Cancellation);
        var request = new RawRequest(connection);
        var more = string.Concat(headers.Select(header => $"{header.Name}: {header.Value}\r\n"));
        await request.WriteAsync(
            $"POST {path} HTTP/1.1\r\nHost: {server.Address.Authority}\r\nAuthorization: Bearer {credential ?? server.SecretKey}\r\n" +
            $"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n{more}\r\n");
        return request;
    }

    public Task WriteChunkAsync(string text) =>
        WriteAsync(string.Create(CultureInfo.InvariantCulture, $"{Encoding.UTF8.GetByteCount(text):x}\r\n{text}\r\n"));

    /// <summary>What the server says, up to and with a text.</summary>
    public async Task<string> ReadUntilAsync(string text)
    {
        var buffer = new byte[4096];
        var answer = "";
        while (!answer.Contains(text, StringComparison.Ordinal))
        {
            var count = await stream.ReadAsync(buffer, Api.Cancellation);
            Assert.True(count > 0, $"The answer ended: {answer}");
            answer += Encoding.UTF8.GetString(buffer, 0, count);
        }
        return answer;
    }

    /// <summary>What the server says until it closes or resets the connection.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var buffer = new byte[4096];
        var answer = "";
        try
        {
            for (int count; (count = await stream.ReadAsync(buffer, Api.Cancellation)) > 0;) answer += Encoding.UTF8.GetString(buffer, 0, count);
        }
        catch (IOException)
        {
            // Reset.
        }
        return answer;
    }

    /// <summary>Resets the connection, as a machine does whose process died.</summary>
    public void Cut()
    {
        connection.Client.LingerState = new LingerOption(true, 0);
        connection.Close();
    }

    public ValueTask DisposeAsync()
    {
        connection.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task WriteAsync(string text) => await stream.WriteAsync(Encoding.UTF8.GetBytes(text), Api.Cancellation);
}
