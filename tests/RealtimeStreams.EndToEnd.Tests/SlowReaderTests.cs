using System.Globalization;
using System.Net.Sockets;
using System.Text;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

public sealed class SlowReaderTests(ITestOutputHelper output)
{
    private const int Chunks = 800;

    /// <summary>64 KiB of text each: 50 MiB in all.</summary>
    private static readonly string filling = new('x', 65_500);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Readers_that_stop_reading_for_a_whole_stream_of_50_MiB_slow_nobody_hold_bounded_memory_and_then_get_everything()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        await using var server = await ServerProcess.StartAsync(new ServerProcessOptions { Nats = broker.Url }, Cancelled);
        using var client = Traffic.ClientOf(server);
        var warmUp = (await client.Runs.RegisterAsync(new RegisterRun(), Cancelled)).Id;
        await WriteAsync(client, warmUp);
        var run = (await client.Runs.RegisterAsync(new RegisterRun(), Cancelled)).Id;

        var stopped = new List<StoppedReader>();
        for (var i = 0; i < 4; i++) stopped.Add(await StoppedReader.OpenAsync(server, run, Cancelled));
        using var connection = new Http2Connection(server);
        for (var i = 0; i < 4; i++) stopped.Add(await StoppedReader.OpenAsync(connection, run));
        var before = server.WorkingSet;
        var live = Traffic.ReadToEndAsync(client, run, cancellationToken: Cancelled);
        await WriteAsync(client, run); // Would not end if the writer had to wait for the stopped readers.
        Assert.Equal(Chunks, (await live).Count); // Nor would this.
        var grown = server.WorkingSet - before;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"The server's memory grew by {grown / 1048576.0:0.0} MiB"));

        // Eight queues of 50 MiB would be 400.
        Assert.True(grown < 100 * 1024 * 1024, $"The server holds {grown} bytes more with readers that stopped.");
        await Task.WhenAll(stopped.Select(reader => reader.ReadToEndAsync(Chunks, Cancelled)));
        foreach (var reader in stopped) reader.Dispose();
    }

    private static async Task WriteAsync(RealtimeStreamsClient client, string run)
    {
        async IAsyncEnumerable<string> SourceAsync()
        {
            for (var i = 0; i < Chunks; i++)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"{i}:{filling}");
                await Task.Yield();
            }
        }
        var pipe = client.Streams.Pipe(Traffic.Stream, SourceAsync(), new PipeOptions { Target = run, CloseWhenDone = true }, Cancelled);
        Assert.Equal(Chunks, (await pipe.WaitUntilCompleteAsync(Cancelled)).Chunks);
    }

    /// <summary>A reader with room for little, which sends its request and reads nothing of the answer until told.</summary>
    private sealed class StoppedReader(Stream answer, IDisposable owner) : IDisposable
    {
        /// <summary>On a bare socket with a small receive buffer.</summary>
        public static async Task<StoppedReader> OpenAsync(ServerProcess server, string run, CancellationToken cancellationToken)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 8192 };
            await socket.ConnectAsync("127.0.0.1", server.Port, cancellationToken);
            var request = $"GET {PathOf(run)} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {server.SecretKey}\r\nConnection: close\r\n\r\n";
            await socket.SendAsync(Encoding.ASCII.GetBytes(request), cancellationToken);
            return new StoppedReader(new NetworkStream(socket), socket);
        }

        /// <summary>One of several on an HTTP/2 connection, with a window of 64 KiB for itself.</summary>
        public static async Task<StoppedReader> OpenAsync(Http2Connection connection, string run)
        {
            var answer = await connection.SendAsync(HttpMethod.Get, PathOf(run), accept: "text/event-stream");
            Assert.Equal(200, (int)answer.StatusCode);
            return new StoppedReader(await answer.Content.ReadAsStreamAsync(Cancelled), answer);
        }

        /// <summary>Reads the whole answer and finds every chunk in it, once and in order, and the end.</summary>
        public async Task ReadToEndAsync(int chunks, CancellationToken cancellationToken)
        {
            using var lines = new StreamReader(answer, Encoding.ASCII);
            var next = 0;
            var ended = false;
            while (await lines.ReadLineAsync(cancellationToken) is { } line)
            {
                // Chunked encoding may cut lines anywhere, but the server flushes whole events.
                if (line.StartsWith("data: \"", StringComparison.Ordinal))
                    Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"data: \"{next++}:x"), line, StringComparison.Ordinal);
                ended |= line == "event: end";
            }
            Assert.Equal(chunks, next);
            Assert.True(ended, "The stream's end did not come.");
        }

        public void Dispose() => owner.Dispose();

        private static string PathOf(string run) => $"/api/v1/runs/{run}/streams/{Traffic.Stream.Key}";
    }
}
