using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Http.Limiting;

namespace RealtimeStreams.Http.Tests;

/// <summary>At least 10 bytes a second over all of the body, after 5 seconds.</summary>
public sealed class PacedBodyTests : IDisposable
{
    private readonly FakeTimeProvider clock = new();
    private readonly Pipe sender = new();
    private readonly PacedBody body;
    private readonly byte[] buffer = new byte[1024];

    public PacedBodyTests() => body = new PacedBody(sender.Reader.AsStream(), 10, TimeSpan.FromSeconds(5), clock);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => body.Dispose();

    [Fact]
    public async Task Silence_is_given_up_at_the_end_of_the_grace()
    {
        var read = body.ReadAsync(buffer, Cancelled).AsTask();
        clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(read.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Equal(408, (await Assert.ThrowsAsync<BadHttpRequestException>(() => read)).StatusCode);
    }

    [Fact]
    public async Task Many_short_waits_are_one_long_one()
    {
        for (var second = 0; second < 4; second++)
        {
            var read = body.ReadAsync(buffer, Cancelled).AsTask();
            clock.Advance(TimeSpan.FromSeconds(1));
            await SendAsync(1);
            Assert.Equal(1, await read);
        }

        var last = body.ReadAsync(buffer, Cancelled).AsTask();
        clock.Advance(TimeSpan.FromSeconds(1.1));
        await Assert.ThrowsAsync<BadHttpRequestException>(() => last);
    }

    [Fact]
    public async Task What_came_fast_earns_time_and_time_in_which_nobody_reads_does_not_count()
    {
        await SendAsync(200); // 20 seconds' worth.
        Assert.Equal(200, await body.ReadAsync(buffer, Cancelled));
        clock.Advance(TimeSpan.FromMinutes(1)); // The server is busy with it.

        var read = body.ReadAsync(buffer, Cancelled).AsTask();
        clock.Advance(TimeSpan.FromSeconds(19.9));
        Assert.False(read.IsCompleted);
        await SendAsync(1);
        Assert.Equal(1, await read);
        var last = body.ReadAsync(buffer, Cancelled).AsTask();
        clock.Advance(TimeSpan.FromSeconds(0.3));
        await Assert.ThrowsAsync<BadHttpRequestException>(() => last);
    }

    [Fact]
    public async Task The_end_and_the_readers_own_giving_up_are_what_they_are()
    {
        using var own = new CancellationTokenSource();
        var read = body.ReadAsync(buffer, own.Token).AsTask();
        await own.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);

        using var another = new PacedBody(new MemoryStream(Encoding.UTF8.GetBytes("ab")), 10, TimeSpan.FromSeconds(5), clock);
        Assert.Equal(2, await another.ReadAsync(buffer, Cancelled));
        Assert.Equal(0, await another.ReadAsync(buffer, Cancelled));
    }

    private async Task SendAsync(int bytes) => await sender.Writer.WriteAsync(new byte[bytes], Cancelled);
}
