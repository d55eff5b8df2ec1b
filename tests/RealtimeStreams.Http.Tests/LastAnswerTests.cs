using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Http.Tests;

public sealed class LastAnswerTests
{
    private readonly FakeTimeProvider clock = new();
    private readonly Pipe body = new();
    private readonly Lifetime lifetime = new();

    [Fact]
    public async Task A_sender_that_goes_on_after_the_answer_is_cut_off()
    {
        var context = Request("HTTP/1.1");
        var ended = new LastAnswer(Results.StatusCode(503)).ExecuteAsync(context);
        await body.Writer.WriteAsync("more"u8.ToArray(), TestContext.Current.CancellationToken);

        Assert.Equal(503, context.Response.StatusCode);
        Assert.Equal("close", context.Response.Headers.Connection);
        Assert.False(ended.IsCompleted);
        await Until.TrueAsync(() => "The request was not cut off.", () =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return lifetime.Aborted;
        });
        await ended;
    }

    [Fact]
    public async Task A_sender_that_ends_its_body_is_not_cut_off()
    {
        var ended = new LastAnswer(Results.StatusCode(503)).ExecuteAsync(Request("HTTP/1.1"));
        await body.Writer.CompleteAsync();
        await ended;

        Assert.False(lifetime.Aborted);
    }

    [Fact]
    public async Task Over_http_2_nothing_but_the_answer_is_needed()
    {
        var context = Request("HTTP/2");
        await new LastAnswer(Results.StatusCode(503)).ExecuteAsync(context);

        Assert.False(lifetime.Aborted);
        Assert.Equal(0, context.Response.Headers.Connection.Count);
    }

    private DefaultHttpContext Request(string protocol)
    {
        var context = new DefaultHttpContext
        {
            RequestServices = new ServiceCollection().AddSingleton<TimeProvider>(clock).AddLogging().BuildServiceProvider(),
            Request = { Protocol = protocol, Body = body.Reader.AsStream() },
        };
        context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
        return context;
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        public bool Aborted { get; private set; }

        public CancellationToken RequestAborted { get; set; }

        public void Abort() => Aborted = true;
    }
}
