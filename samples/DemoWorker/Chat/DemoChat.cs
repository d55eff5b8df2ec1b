using System.ClientModel;
using Microsoft.Extensions.AI;
using OpenAI;

namespace DemoWorker.Chat;

/// <summary>Who answers, and what.</summary>
/// <param name="Client">Answers.</param>
/// <param name="Description">Who that is, for people.</param>
/// <param name="Question">What is asked.</param>
internal sealed record DemoChat(IChatClient Client, string Description, string Question);

internal static class DemoChatSetup
{
    private const string DefaultModel = "gpt-4o-mini";

    /// <summary>
    /// Adds the model that OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL name (the first two each suffice: many local servers
    /// want no key), or else the recording that the sample ships with.
    /// </summary>
    public static void AddDemoChat(this IServiceCollection services, IConfiguration configuration)
    {
        var recording = Recording.Load();
        var key = configuration["OPENAI_API_KEY"];
        var address = configuration["OPENAI_BASE_URL"];
        services.AddSingleton(provider =>
        {
            if (string.IsNullOrEmpty(key) && string.IsNullOrEmpty(address))
            {
                var time = provider.GetRequiredService<TimeProvider>();
                return new DemoChat(Traced(new RecordedChatClient(recording, time)), "a recording", recording.Question);
            }

            var model = configuration["OPENAI_MODEL"] is { Length: > 0 } named ? named : DefaultModel;
            var options = new OpenAIClientOptions();
            if (!string.IsNullOrEmpty(address))
                options.Endpoint = new Uri(address);
            var credential = new ApiKeyCredential(string.IsNullOrEmpty(key) ? "none" : key);
            var client = new OpenAIClient(credential, options).GetChatClient(model).AsIChatClient();
            return new DemoChat(Traced(client), $"{model} at {options.Endpoint?.Host ?? "OpenAI"}", recording.Question);
        });
    }

    private static IChatClient Traced(IChatClient client) => client.AsBuilder().UseOpenTelemetry(sourceName: "RealtimeStreams.DemoWorker").Build();
}
