using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>A frame of HTTP/2 (RFC 9113, section 4.1).</summary>
internal sealed record Http2Frame(byte Type, byte Flags, int Stream, byte[] Payload)
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Reset = 3;
    public const byte Settings = 4;
    public const byte GoAway = 7;
    public const byte Continuation = 9;

    public bool EndsStream => (Flags & 1) != 0;

    /// <summary>The payload as text: what the server does not find in HPACK's tables it writes as it is.</summary>
    public string Text => Encoding.Latin1.GetString(Payload);
}

/// <summary>An HTTP/2 connection written by hand, for requests that client libraries refuse to send, and for windows that they do not have.</summary>
internal sealed class RawHttp2 : IDisposable
{
    private const int MaxFrame = 16_384;
    private const byte InitialWindowSize = 4; // RFC 9113, section 6.5.2.

    private readonly TcpClient connection = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Connects.</summary>
    /// <param name="server">To whom.</param>
    /// <param name="closed">Whether no answer may have a body until a window for it is opened: each has room for nothing.</param>
    public static async Task<RawHttp2> ConnectAsync(ServerProcess server, bool closed = false)
    {
        var raw = new RawHttp2();
        await raw.connection.ConnectAsync(server.Address.Host, server.Address.Port, Cancelled);
        await raw.connection.GetStream().WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), Cancelled);
        await raw.SendAsync(new Http2Frame(Http2Frame.Settings, 0, 0, closed ? [0, InitialWindowSize, 0, 0, 0, 0] : []));
        return raw;
    }

    /// <summary>Begins and ends a GET.</summary>
    public Task GetAsync(int stream, string path, params (string Name, string Value)[] headers) => BeginAsync(stream, "GET", path, ends: true, headers);

    /// <summary>Begins a POST, whose body is sent by <see cref="SendDataAsync"/>.</summary>
    public Task PostAsync(int stream, string path, params (string Name, string Value)[] headers) => BeginAsync(stream, "POST", path, ends: false, headers);

    /// <summary>Sends a piece of a request's body, of at most 16 KiB.</summary>
    public Task SendDataAsync(int stream, byte[] bytes) => SendAsync(new Http2Frame(Http2Frame.Data, 0, stream, bytes));

    /// <summary>The next frame of one of these types; null when the connection has ended.</summary>
    public async Task<Http2Frame?> NextAsync(params byte[] types)
    {
        var head = new byte[9];
        var input = connection.GetStream();
        while (true)
        {
            try
            {
                await input.ReadExactlyAsync(head, Cancelled);
                var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
                await input.ReadExactlyAsync(payload, Cancelled);
                if (types.Contains(head[3])) return new Http2Frame(head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)), payload);
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    public void Dispose() => connection.Dispose();

    private async Task BeginAsync(int stream, string method, string path, bool ends, (string Name, string Value)[] headers)
    {
        using var block = new MemoryStream();
        foreach (var (name, value) in (IEnumerable<(string, string)>)[(":method", method), (":scheme", "http"), (":authority", "x"), (":path", path), .. headers])
        {
            block.WriteByte(0); // A literal that goes into no table (RFC 7541, section 6.2.2).
            Write(block, name);
            Write(block, value);
        }
        var bytes = block.ToArray();
        for (var from = 0; from < bytes.Length; from += MaxFrame)
        {
            var last = from + MaxFrame >= bytes.Length;
            var flags = (byte)((from == 0 && ends ? 1 : 0) | (last ? 4 : 0)); // The end of the stream, of the headers.
            await SendAsync(new Http2Frame(from == 0 ? Http2Frame.Headers : Http2Frame.Continuation, flags, stream, bytes[from..(last ? bytes.Length : from + MaxFrame)]));
        }
    }

    private async Task SendAsync(Http2Frame frame)
    {
        var bytes = new byte[9 + frame.Payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes, (frame.Payload.Length << 8) | frame.Type);
        bytes[4] = frame.Flags;
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(5), frame.Stream);
        frame.Payload.CopyTo(bytes, 9);
        await connection.GetStream().WriteAsync(bytes, Cancelled);
    }

    // A string without Huffman's code; its length has 7 bits of the first byte (RFC 7541, sections 5.1 and 5.2).
    private static void Write(MemoryStream block, string text)
    {
        var left = text.Length;
        if (left < 127)
        {
            block.WriteByte((byte)left);
        }
        else
        {
            block.WriteByte(127);
            for (left -= 127; left >= 128; left >>= 7) block.WriteByte((byte)((left & 127) | 128));
            block.WriteByte((byte)left);
        }
        block.Write(Encoding.ASCII.GetBytes(text));
    }
}
