using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Server.Hosting;

namespace RealtimeStreams.Server.Tests;

/// <summary>The looking at a connection's first bytes, with the pieces in the test's hand.</summary>
public sealed class Http2PrefaceTests
{
    private const string Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    public static TheoryData<int> Cuts => [.. Enumerable.Range(1, Preface.Length - 1)];

    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task A_preface_cut_anywhere_is_recognised_when_its_rest_comes(int cut)
    {
        await using var connection = new LookedAt();

        await connection.SendAsync(Preface[..cut]);
        Assert.Null(connection.Served);
        await connection.SendAsync(Preface[cut..] + "more");

        Assert.Equal((true, Preface + "more"), connection.Served);
    }

    [Fact]
    public async Task A_preface_that_comes_byte_by_byte_is_recognised_with_its_last_byte()
    {
        await using var connection = new LookedAt();

        foreach (var one in Preface)
        {
            Assert.Null(connection.Served);
            await connection.SendAsync(one.ToString());
        }

        Assert.Equal((true, Preface), connection.Served);
    }

    [Theory]
    [InlineData("G")]
    [InlineData("PO")]
    [InlineData("PU")]
    [InlineData("PA")]
    [InlineData("PROP")]
    [InlineData("PRI *X")]
    [InlineData("\u0016\u0003\u0001")]
    [InlineData("\0")]
    public async Task The_first_byte_that_differs_goes_on_at_once(string first)
    {
        await using var connection = new LookedAt();

        await connection.SendAsync(first);

        Assert.Equal((false, first), connection.Served);
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task What_differs_after_a_while_is_handed_on_whole(int cut)
    {
        await using var connection = new LookedAt();

        await connection.SendAsync(Preface[..cut]);
        await connection.SendAsync("!rest");

        Assert.Equal((false, Preface[..cut] + "!rest"), connection.Served);
    }

    [Fact]
    public async Task An_end_within_the_preface_is_handed_on()
    {
        await using var connection = new LookedAt();
        await connection.SendAsync(Preface[..9]);

        await connection.EndAsync();

        Assert.Equal((false, Preface[..9]), connection.Served);
    }

    [Fact]
    public async Task Silence_is_bounded_before_and_within_the_preface()
    {
        await using var silent = new LookedAt();
        silent.Clock.Advance(LookedAt.KeepAlive);
        await silent.Done;
        Assert.Null(silent.Served);

        await using var halting = new LookedAt();
        halting.Clock.Advance(LookedAt.KeepAlive - TimeSpan.FromTicks(1));
        await halting.SendAsync(Preface[..2]);
        halting.Clock.Advance(LookedAt.Headers - TimeSpan.FromTicks(1));
        await halting.SendAsync(Preface[2..4]);
        Assert.False(halting.Done.IsCompleted);
        halting.Clock.Advance(TimeSpan.FromTicks(1)); // More pieces win no more time.
        await halting.Done;
        Assert.Null(halting.Served);
    }

    [Fact]
    public async Task A_connection_that_aborts_ends_quietly()
    {
        await using var connection = new LookedAt();

        await connection.EndAsync(new ConnectionResetException("Reset."));

        await connection.Done;
        Assert.Null(connection.Served);
    }

    /// <summary>A connection on pipes, whose bytes are taken before the sending returns.</summary>
    private sealed class LookedAt : IAsyncDisposable
    {
        public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(130);
        public static readonly TimeSpan Headers = TimeSpan.FromSeconds(30);

        private readonly Pipe input = new(new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
        private readonly DefaultConnectionContext connection = new("test");
        private readonly ProtocolChoice choice = ProtocolChoice.Find(typeof(KestrelServerOptions).Assembly);

        public LookedAt()
        {
            connection.Transport = new Sides(input.Reader, new Pipe().Writer);
            var kestrel = new KestrelServerOptions();
            kestrel.Limits.KeepAliveTimeout = KeepAlive;
            kestrel.Limits.RequestHeadersTimeout = Headers;
            Done = new Http2Preface(ServeAsync, kestrel.Limits, choice, Clock).LookAsync(connection);
        }

        public FakeTimeProvider Clock { get; } = new();

        public Task Done { get; }

        public (bool Http2, string Bytes)? Served { get; private set; }

        public async Task SendAsync(string bytes) => await input.Writer.WriteAsync(Encoding.Latin1.GetBytes(bytes));

        public async Task EndAsync(Exception? exception = null) => await input.Writer.CompleteAsync(exception);

        public async ValueTask DisposeAsync()
        {
            await input.Writer.CompleteAsync();
            await Done;
            await connection.DisposeAsync();
        }

        private Task ServeAsync(ConnectionContext served)
        {
            // Kestrel must find all bytes at once, without a new one having to come.
            var bytes = served.Transport.Input.TryRead(out var read) ? Encoding.Latin1.GetString(System.Buffers.BuffersExtensions.ToArray(read.Buffer)) : "";
            served.Transport.Input.AdvanceTo(read.Buffer.End);
            Served = (choice.IsHttp2(served), bytes);
            return Task.CompletedTask;
        }

        private sealed class Sides(PipeReader input, PipeWriter output) : IDuplexPipe
        {
            public PipeReader Input => input;

            public PipeWriter Output => output;
        }
    }
}
