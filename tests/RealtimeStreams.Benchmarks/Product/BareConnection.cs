using System.Buffers.Text;
using System.Globalization;
using System.Net.Sockets;

namespace RealtimeStreams.Benchmarks.Product;

/// <summary>
/// One HTTP/1.1 connection with as little between the caller and the socket as can be: the client shares the machine with the server that is
/// measured. Requests go out as bytes made beforehand; answers are read in both codings that HTTP/1.1 has. One exchange at a time.
/// </summary>
internal sealed class BareConnection : IDisposable
{
    private readonly Socket socket;
    private byte[] buffer;
    private int start;
    private int end;
    private long left; // Of the current piece of the body; -1: a piece's size comes next.
    private bool chunked;
    private bool over;

    private BareConnection(Socket socket, int bufferBytes)
    {
        this.socket = socket;
        buffer = new byte[bufferBytes];
    }

    public static async Task<BareConnection> OpenAsync(Uri server, CancellationToken cancellationToken, int bufferBytes = 4096)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server.Host, server.Port, cancellationToken);
            return new BareConnection(socket, bufferBytes);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
    }

    /// <summary>Reads the head of the answer; tells the status.</summary>
    public async ValueTask<int> ReadHeadAsync(CancellationToken cancellationToken)
    {
        int length;
        while ((length = buffer.AsSpan(start, end - start).IndexOf("\r\n\r\n"u8)) < 0) await ReceiveAsync(cancellationToken);
        var status = ReadHead(buffer.AsSpan(start, length + 2));
        start += length + 4;
        return status;
    }

    /// <summary>Reads what has come of the body, waiting for something; empty at its end. Valid until the next read.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadBodyAsync(CancellationToken cancellationToken)
    {
        while (!over)
        {
            if (left > 0 && end > start)
            {
                var part = (int)Math.Min(left, end - start);
                var bytes = buffer.AsMemory(start, part);
                start += part;
                left -= part;
                if (left == 0 && !chunked) over = true;
                return bytes;
            }
            if (left > 0 || !TryReadPieceSize()) await ReceiveAsync(cancellationToken);
        }
        return default;
    }

    /// <summary>Reads all of a small body.</summary>
    public async ValueTask<byte[]> ReadWholeBodyAsync(CancellationToken cancellationToken)
    {
        using var whole = new MemoryStream();
        while (await ReadBodyAsync(cancellationToken) is { IsEmpty: false } part) whole.Write(part.Span);
        return whole.ToArray();
    }

    public void Dispose() => socket.Dispose();

    private async ValueTask ReceiveAsync(CancellationToken cancellationToken)
    {
        if (start == end) start = end = 0;
        else if (end == buffer.Length && start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }
        else if (end == buffer.Length)
        {
            Array.Resize(ref buffer, buffer.Length * 2);
        }
        var received = await socket.ReceiveAsync(buffer.AsMemory(end), SocketFlags.None, cancellationToken);
        if (received == 0) throw new IOException("The server closed the connection in the middle of an answer.");
        end += received;
    }

    private int ReadHead(ReadOnlySpan<byte> head)
    {
        chunked = false;
        left = 0;
        var status = int.Parse(head.Slice("HTTP/1.1 ".Length, 3), NumberStyles.None, CultureInfo.InvariantCulture);
        head = head[(head.IndexOf("\r\n"u8) + 2)..];
        for (int length; (length = head.IndexOf("\r\n"u8)) >= 0; head = head[(length + 2)..])
        {
            var line = head[..length];
            var colon = line.IndexOf((byte)':');
            var value = line[(colon + 1)..].Trim((byte)' ');
            if (System.Text.Ascii.EqualsIgnoreCase(line[..colon], "transfer-encoding"u8)) chunked = true;
            else if (System.Text.Ascii.EqualsIgnoreCase(line[..colon], "content-length"u8)) left = long.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture);
        }
        if (chunked) left = -1;
        over = !chunked && left == 0;
        return status;
    }

    /// <summary>Reads a piece's size of the chunked coding, with the line end of the piece before it; false when it is not there in full yet.</summary>
    private bool TryReadPieceSize()
    {
        var bytes = buffer.AsSpan(start, end - start);
        var skip = left == 0 ? 2 : 0; // The line end behind the last piece's bytes.
        if (bytes.Length < skip) return false;
        var length = bytes[skip..].IndexOf("\r\n"u8);
        if (length < 0) return false;
        if (!Utf8Parser.TryParse(bytes.Slice(skip, length), out long size, out _, 'x')) throw new InvalidDataException("A piece of the body has no size.");
        if (size == 0)
        {
            if (bytes.Length < skip + length + 4) return false; // No trailers are sent: the empty line ends it.
            start += skip + length + 4;
            over = true;
            return true;
        }
        start += skip + length + 2;
        left = size;
        return true;
    }
}
