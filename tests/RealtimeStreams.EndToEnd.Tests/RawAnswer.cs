using System.Net.Sockets;
using System.Text;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>An answer as it came over the wire, to a request that no client library would send.</summary>
/// <param name="Status">The status; 0 when the server closed the connection without one.</param>
/// <param name="Headers">The header lines, in order, without the status line.</param>
/// <param name="Body">All that followed.</param>
internal sealed record RawAnswer(int Status, IReadOnlyList<string> Headers, string Body)
{
    private static ReadOnlySpan<byte> HeadEnd => "\r\n\r\n"u8;

    /// <summary>Sends bytes and reads until the server closes the connection, which the request should ask for.</summary>
    public static async Task<RawAnswer> ToAsync(ServerProcess server, string request, CancellationToken cancellationToken)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(server.Address.Host, server.Address.Port, cancellationToken);
        var stream = connection.GetStream();
        using var answer = new MemoryStream();
        await Task.WhenAll(
            UnlessCutAsync(stream.WriteAsync(Encoding.UTF8.GetBytes(request), cancellationToken).AsTask()), UnlessCutAsync(stream.CopyToAsync(answer, cancellationToken)));
        return Parse(answer.ToArray());
    }

    // A server that refuses a request within it resets what it did not read.
    private static async Task UnlessCutAsync(Task task)
    {
        try
        {
            await task;
        }
        catch (IOException)
        {
        }
    }

    private static RawAnswer Parse(byte[] bytes)
    {
        var end = bytes.AsSpan().IndexOf(HeadEnd);
        if (end < 0) return new RawAnswer(0, [], Encoding.UTF8.GetString(bytes));
        var lines = Encoding.Latin1.GetString(bytes, 0, end).Split("\r\n");
        return new RawAnswer(int.Parse(lines[0].AsSpan(9, 3), provider: null), lines[1..], Encoding.UTF8.GetString(bytes, end + HeadEnd.Length, bytes.Length - end - HeadEnd.Length));
    }
}
