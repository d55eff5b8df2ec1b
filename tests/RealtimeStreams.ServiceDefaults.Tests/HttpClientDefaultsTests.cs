using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace RealtimeStreams.ServiceDefaults.Tests;

public sealed class HttpClientDefaultsTests
{
    [Fact]
    public void A_client_is_resilient_unless_it_says_that_it_streams()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.AddServiceDefaults();
        builder.Services.AddHttpClient("short");
        builder.Services.AddHttpClient("streaming").WithoutResilience();
        using var host = builder.Build();

        Assert.Contains(HandlersOf(host, "short"), IsResilience);
        Assert.DoesNotContain(HandlersOf(host, "streaming"), IsResilience);
        Assert.Equal(
            Timeout.InfiniteTimeSpan,
            host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("streaming").Timeout);
    }

    [Fact]
    public void A_streaming_client_still_discovers_services()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.AddServiceDefaults();
        builder.Services.AddHttpClient("streaming").WithoutResilience();
        using var host = builder.Build();

        Assert.Contains(HandlersOf(host, "streaming"), handler => handler.Contains("Resolving", StringComparison.Ordinal));
    }

    private static bool IsResilience(string handler) => handler.Contains("Resilience", StringComparison.Ordinal);

    private static List<string> HandlersOf(IHost host, string client)
    {
        var names = new List<string>();
        var handler = host.Services.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(client);
        for (HttpMessageHandler? next = handler; next is not null; next = (next as DelegatingHandler)?.InnerHandler)
            names.Add(next.GetType().Name);
        return names;
    }
}
