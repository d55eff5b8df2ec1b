using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace RealtimeStreams.Benchmarks.Product;

/// <summary>A reader of server-sent events that looks at the lines' beginnings and allocates nothing a chunk.</summary>
internal sealed class EventReader : IDisposable
{
    private readonly BareConnection connection;
    private readonly Action<long> arrived;
    private readonly TaskCompletionSource caughtUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] rest = new byte[256];
    private int restLength;
    private long index = -1;

    private EventReader(BareConnection connection, Action<long> arrived)
    {
        this.connection = connection;
        this.arrived = arrived;
    }

    /// <summary>Done when the server has said that all stored before is sent.</summary>
    public Task CaughtUp => caughtUp.Task;

    /// <summary>Asks for a stream from an index on.</summary>
    /// <param name="server">The server.</param>
    /// <param name="path">The stream.</param>
    /// <param name="startIndex">The first chunk wanted.</param>
    /// <param name="arrived">Told the index of every chunk, on whatever thread reads.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="bufferBytes">How much is received at once.</param>
    public static async Task<EventReader> OpenAsync(
        ServerUnderTest server, string path, long startIndex, Action<long> arrived, CancellationToken cancellationToken, int bufferBytes = 4096)
    {
        var connection = await BareConnection.OpenAsync(server.Address, cancellationToken, bufferBytes);
        try
        {
            await connection.SendAsync(
                Encoding.ASCII.GetBytes(string.Create(
                    CultureInfo.InvariantCulture,
                    $"GET {path}?startIndex={startIndex} HTTP/1.1\r\nHost: {server.Address.Authority}\r\nAuthorization: Bearer {server.SecretKey}\r\nAccept: text/event-stream\r\n\r\n")),
                cancellationToken);
            var status = await connection.ReadHeadAsync(cancellationToken);
            if (status != 200)
                throw new InvalidOperationException($"A read was answered with {status}: {Encoding.UTF8.GetString(await connection.ReadWholeBodyAsync(cancellationToken))}");
            return new EventReader(connection, arrived);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Reads until the stream ends or the token says so.</summary>
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await connection.ReadBodyAsync(cancellationToken) is { IsEmpty: false } bytes) Take(bytes.Span);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        catch (Exception exception)
        {
            caughtUp.TrySetException(exception);
            throw;
        }
    }

    public void Dispose() => connection.Dispose();

    private void Take(ReadOnlySpan<byte> bytes)
    {
        for (int length; (length = bytes.IndexOf((byte)'\n')) >= 0; bytes = bytes[(length + 1)..])
        {
            if (restLength == 0)
            {
                TakeLine(bytes[..length]);
                continue;
            }
            Keep(bytes[..length]);
            TakeLine(rest.AsSpan(0, restLength));
            restLength = 0;
        }
        if (!bytes.IsEmpty) Keep(bytes);
    }

    private void Keep(ReadOnlySpan<byte> part)
    {
        if (rest.Length < restLength + part.Length) Array.Resize(ref rest, Math.Max(restLength + part.Length, rest.Length * 2));
        part.CopyTo(rest.AsSpan(restLength));
        restLength += part.Length;
    }

    private void TakeLine(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("id: "u8)) index = Utf8Parser.TryParse(line[4..], out long parsed, out _) ? parsed : -1;
        else if (line.StartsWith("data: "u8) && index >= 0) arrived(index);
        else if (line.IsEmpty) index = -1;
        else if (line.SequenceEqual("event: caught-up"u8)) caughtUp.TrySetResult();
        else if (line.StartsWith("event: error"u8)) throw new InvalidDataException("The server sent an error event.");
    }
}
