using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace RealtimeStreams.Http.Tests;

public sealed class RawPathTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a%2Fb", "a/b")]
    [InlineData("a%2fb", "a/b")]
    [InlineData("a%252Fb", "a%2Fb")]
    [InlineData("%C3%BC%F0%9F%98%80", "ü😀")]
    [InlineData("a+b%20c", "a+b c")]
    [InlineData("%00", "\0")]
    [InlineData("100%", null)]
    [InlineData("%2", null)]
    [InlineData("%zz", null)]
    [InlineData("%C3", null)]
    [InlineData("%ED%A0%80", null)]
    public void A_segment_is_unescaped_once(string segment, string? text) => Assert.Equal(text, RawPath.Unescape(segment));

    [Theory]
    [InlineData("/api/v1/runs/r/streams/k", "r", "k")]
    [InlineData("/api/v1/runs/r%2F1/streams/a%252Fb?x=/y", "r/1", "a%2Fb")]
    [InlineData("/base/path/api/v1/runs/r/streams/k/", "r", "k")]
    [InlineData("http://host:80/api/v1/runs/r/streams/k#f", "r", "k")]
    public void A_parameter_is_found_in_the_request_target(string target, string run, string key)
    {
        var context = Context("/api/v1/runs/{runId}/streams/{key}", target);

        Assert.Equal(run, RawPath.Find(context, "runId"));
        Assert.Equal(key, RawPath.Find(context, "key"));
    }

    [Theory]
    [InlineData("/api/v1/runs/mine/streams/x/../../../runs/other/streams/k")]
    [InlineData("/api/v1/runs/other/streams/secret/%2e%2E/k")]
    [InlineData("/api/v1/runs/other/streams/secret/.%2e/k")]
    [InlineData("/api/v1/./runs/r/streams/k")]
    [InlineData("/api/v1/runs/r/streams/k/%2E")]
    [InlineData("/api/v1/runs/r/streams/..")]
    public void Where_dots_were_resolved_nothing_is_found(string target)
    {
        var context = Context("/api/v1/runs/{runId}/streams/{key}", target);

        Assert.Null(RawPath.Find(context, "runId"));
        Assert.Null(RawPath.Find(context, "key"));
    }

    [Theory]
    [InlineData("...")]
    [InlineData(".a")]
    [InlineData("a..")]
    [InlineData("%2e%2e%2f")]
    [InlineData("..%2f..")]
    public void Other_dots_are_letters_like_others(string segment) =>
        Assert.Equal(RawPath.Unescape(segment), RawPath.Find(Context("/runs/{runId}", "/runs/" + segment), "runId"));

    [Fact]
    public void A_parameter_that_the_route_does_not_have_is_not_found() => Assert.Null(RawPath.Find(Context("/a/{b}", "/a/b"), "key"));

    [Fact]
    public void A_target_that_is_too_short_for_the_route_has_no_parameter() => Assert.Null(RawPath.Find(Context("/a/{b}/c/d/e", "d/e"), "b"));

    private static DefaultHttpContext Context(string route, string target)
    {
        var context = new DefaultHttpContext();
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        context.SetEndpoint(new RouteEndpoint(_ => Task.CompletedTask, RoutePatternFactory.Parse(route), 0, null, null));
        return context;
    }
}
