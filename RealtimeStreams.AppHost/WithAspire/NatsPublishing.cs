namespace RealtimeStreams.AppHost.WithAspire;

internal static class NatsPublishing
{
    /// <summary>
    /// Lets NATS be published to Kubernetes: its arguments hold credentials that are no strings, on which Aspire 13.5.2 ends with
    /// "Command line args must be strings" (microsoft/aspire#15789). They go through the environment instead.
    /// </summary>
    public static IResourceBuilder<NatsServerResource> WithPublishableCredentials(this IResourceBuilder<NatsServerResource> nats)
    {
        if (!nats.ApplicationBuilder.ExecutionContext.IsPublishMode)
            return nats;

        return nats
            .WithEnvironment("NATS_USER", nats.Resource.UserNameReference)
            .WithEnvironment("NATS_PASSWORD", nats.Resource.PasswordParameter!)
            .WithArgs(context =>
            {
                for (var i = 1; i < context.Args.Count; i++)
                {
                    context.Args[i] = (context.Args[i - 1], context.Args[i]) switch
                    {
                        ("--user", not string) => "$(NATS_USER)",
                        ("--pass", not string) => "$(NATS_PASSWORD)",
                        (_, var argument) => argument,
                    };
                }
            });
    }
}
