using System.Net;
using System.Text;
using System.Text.Json;

namespace RealtimeStreams.Dialects.S2.Tests.Server;

/// <summary>A session as its frames.</summary>
internal sealed class Session : IAsyncDisposable
{
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(30);

    private readonly HttpResponseMessage response;
    private readonly OpenBody? body;
    private readonly Stream frames;

    private Session(HttpResponseMessage response, OpenBody? body, Stream frames)
    {
        this.response = response;
        this.body = body;
        this.frames = frames;
    }

    public int Status => (int)response.StatusCode;

    public bool HasHeader(string name) => response.Headers.Contains(name);

    public static async Task<Session> OpenAsync(HttpResponseMessage response, OpenBody? body) =>
        new(response, body, await response.Content.ReadAsStreamAsync(S2Caller.Cancellation));

    public Task SendAsync(byte[] bytes) => body!.WriteAsync(bytes);

    /// <summary>Sends an append in a frame.</summary>
    public Task AppendAsync(params string[] bodies) => AppendAsync(Input(bodies));

    public Task AppendAsync(Message input) => SendAsync(Framed(input.Bytes));

    /// <summary>Ends the request's body.</summary>
    public void End() => body!.End();

    /// <summary>The next frame; null at the end of the answer.</summary>
    public async Task<WireFrame?> NextAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(S2Caller.Cancellation);
        limit.CancelAfter(patience);
        var header = new byte[4];
        var got = await frames.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, limit.Token);
        if (got == 0) return null;
        Assert.Equal(header.Length, got);
        var payload = new byte[((header[0] << 16) | (header[1] << 8) | header[2]) - 1];
        await frames.ReadExactlyAsync(payload, limit.Token);
        return new WireFrame(header[3], payload);
    }

    /// <summary>All of the answer, where it is no session.</summary>
    public async Task<string> TextAsync()
    {
        using var reader = new StreamReader(frames);
        return await reader.ReadToEndAsync(S2Caller.Cancellation);
    }

    /// <summary>The next frame, which must be an ack.</summary>
    public async Task<(ulong Start, ulong End, ulong Tail)> AckAsync()
    {
        var frame = await NextAsync();
        Assert.NotNull(frame);
        Assert.True(frame.Flags == 0, frame.Text);
        var positions = Message.Read(frame.Payload).ToDictionary(field => field.Field, field => Message.Read((byte[])field.Value));
        return (SeqNumOf(positions[1]), SeqNumOf(positions[2]), SeqNumOf(positions[3]));
    }

    /// <summary>The next frame, which must be a terminal one and the last.</summary>
    public async Task<(int Status, string? Code, string Text)> TerminalAsync()
    {
        var frame = await NextAsync();
        Assert.NotNull(frame);
        Assert.Equal(0x80, frame.Flags);
        Assert.Null(await NextAsync());
        var text = Encoding.UTF8.GetString(frame.Payload.AsSpan(2));
        using var json = JsonDocument.Parse(text);
        return ((frame.Payload[0] << 8) | frame.Payload[1], json.RootElement.TryGetProperty("code", out var code) ? code.GetString() : null, text);
    }

    /// <summary>The next frame, which must be a batch of records.</summary>
    public async Task<ReadBatch> BatchAsync()
    {
        var frame = await NextAsync();
        Assert.NotNull(frame);
        Assert.True(frame.Flags == 0, frame.Text);
        return ReadBatch.Of(frame.Payload);
    }

    public static Message Input(params string[] bodies) =>
        bodies.Aggregate(new Message(), (input, text) => input.Field(1, new Message().Field(3, Encoding.UTF8.GetBytes(text))));

    public static byte[] Framed(byte[] payload, byte flags = 0)
    {
        var length = payload.Length + 1;
        return [(byte)(length >> 16), (byte)(length >> 8), (byte)length, flags, .. payload];
    }

    public ValueTask DisposeAsync()
    {
        body?.End();
        response.Dispose();
        return ValueTask.CompletedTask;
    }

    private static ulong SeqNumOf(List<(int Field, object Value)> position) =>
        position.Where(field => field.Field == 1).Select(field => (ulong)field.Value).FirstOrDefault();
}

/// <summary>A frame as it came.</summary>
internal sealed record WireFrame(byte Flags, byte[] Payload)
{
    public string Text => Encoding.UTF8.GetString(Payload);
}

/// <summary>Records of a read.</summary>
internal sealed record ReadBatch(IReadOnlyList<ReadRecord> Records, ulong? Tail)
{
    public IEnumerable<string> Bodies => Records.Select(record => Encoding.UTF8.GetString(record.Body));

    public static ReadBatch Of(byte[] message)
    {
        var fields = Message.Read(message);
        var tails = fields.Where(field => field.Field == 2).Select(field => Message.Read((byte[])field.Value)).ToList();
        return new ReadBatch(
            [.. fields.Where(field => field.Field == 1).Select(field => ReadRecord.Of((byte[])field.Value))],
            tails is [var tail] ? (ulong)tail.FirstOrDefault(field => field.Field == 1, (1, 0UL)).Value : null);
    }
}

/// <summary>One of them.</summary>
internal sealed record ReadRecord(ulong SeqNum, ulong Timestamp, IReadOnlyList<(byte[] Name, byte[] Value)> Headers, byte[] Body)
{
    public static ReadRecord Of(byte[] message)
    {
        var fields = Message.Read(message);
        return new ReadRecord(
            (ulong)fields.FirstOrDefault(field => field.Field == 1, (1, 0UL)).Value,
            (ulong)fields.FirstOrDefault(field => field.Field == 2, (2, 0UL)).Value,
            [.. fields.Where(field => field.Field == 3).Select(field => Message.Read((byte[])field.Value)).Select(header =>
                ((byte[])header.FirstOrDefault(part => part.Field == 1, (1, Array.Empty<byte>())).Value, (byte[])header.FirstOrDefault(part => part.Field == 2, (2, Array.Empty<byte>())).Value))],
            (byte[])fields.FirstOrDefault(field => field.Field == 4, (4, Array.Empty<byte>())).Value);
    }
}

/// <summary>A request body that stays open.</summary>
internal sealed class OpenBody : HttpContent
{
    private readonly TaskCompletionSource<Stream> opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task WriteAsync(byte[] bytes)
    {
        var stream = await opened.Task.WaitAsync(S2Caller.Cancellation);
        await stream.WriteAsync(bytes, S2Caller.Cancellation);
        await stream.FlushAsync(S2Caller.Cancellation);
    }

    public void End() => ended.TrySetResult();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.FlushAsync(S2Caller.Cancellation);
        opened.TrySetResult(stream);
        await ended.Task;
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
