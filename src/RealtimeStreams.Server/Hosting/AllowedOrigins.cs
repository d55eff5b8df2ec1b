using Microsoft.Net.Http.Headers;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Server.Hosting;

/// <summary>Which web pages may call: those of <c>RealtimeStreams:AllowedOrigins</c>, and in Development any from this machine.</summary>
internal static class AllowedOrigins
{
    private const string Setting = "RealtimeStreams:AllowedOrigins";

    public static WebApplicationBuilder AddAllowedOrigins(this WebApplicationBuilder builder)
    {
        var allowed = Read(builder.Configuration.GetSection(Setting));
        var development = builder.Environment.IsDevelopment();
        builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
            .SetIsOriginAllowed(origin => allowed.Contains(origin.TrimEnd('/')) || (development && IsLoopback(origin)))
            .WithMethods(HttpMethods.Get, HttpMethods.Head, HttpMethods.Post)
            .AllowAnyHeader()
            .WithExposedHeaders(
                NativeHeaders.NextIndex,
                NativeHeaders.FirstIndex,
                NativeHeaders.State,
                NativeHeaders.Outcome,
                NativeHeaders.ProducerEpoch,
                NativeHeaders.ProducerNextSequence,
                HeaderNames.Location)
            .SetPreflightMaxAge(TimeSpan.FromMinutes(10))));
        return builder;
    }

    /// <summary>A list in a file, or one text with commas between, as an environment variable has it.</summary>
    private static HashSet<string> Read(IConfigurationSection section) =>
        section.GetChildren().Select(child => child.Value)
            .Concat((section.Value ?? "").Split([',', ';'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .OfType<string>()
            .Select(origin => origin.TrimEnd('/'))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);

    private static bool IsLoopback(string origin) => Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.IsLoopback;
}
