using Microsoft.Extensions.Configuration;

namespace RealtimeStreams.Http;

/// <summary>The web pages that may call, as the setting <c>RealtimeStreams:AllowedOrigins</c> lists them.</summary>
public sealed class AllowedOrigins
{
    /// <summary>The setting: a list in a file, or one text with commas between, as an environment variable has it.</summary>
    public const string Setting = "RealtimeStreams:AllowedOrigins";

    private readonly HashSet<string> origins;

    private AllowedOrigins(IEnumerable<string> origins) =>
        this.origins = origins.Select(origin => origin.TrimEnd('/')).ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the setting names any.</summary>
    public bool AreSet => origins.Count > 0;

    /// <summary>Reads the setting.</summary>
    public static AllowedOrigins Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(Setting);
        return new AllowedOrigins(section.GetChildren().Select(child => child.Value)
            .Concat((section.Value ?? "").Split([',', ';'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .OfType<string>());
    }

    /// <summary>Whether the setting names this one.</summary>
    public bool Contain(string origin) => origins.Contains(origin.TrimEnd('/'));
}
