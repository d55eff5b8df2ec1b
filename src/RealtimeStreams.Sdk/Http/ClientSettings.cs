using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk.Http;

/// <summary>Reads and checks <see cref="RealtimeStreamsClientOptions"/>. By hand, as the binder would want reflection, or a contract for the serializer's options.</summary>
internal sealed class ClientSettings(IConfiguration? configuration = null)
    : IConfigureOptions<RealtimeStreamsClientOptions>, IValidateOptions<RealtimeStreamsClientOptions>
{
    public void Configure(RealtimeStreamsClientOptions options)
    {
        var section = configuration?.GetSection(RealtimeStreamsClientOptions.Section);
        if (section is null) return;
        Read(section, nameof(options.BaseAddress), text => options.BaseAddress = new Uri(text, UriKind.Absolute));
        Read(section, nameof(options.SecretKey), text => options.SecretKey = text);
        Read(section, nameof(options.StreamsVersion), text => options.StreamsVersion = text switch
        {
            "v1" => StreamsVersion.V1,
            "v2" => StreamsVersion.V2,
            _ => throw new FormatException("It is v1 or v2."),
        });
        Read(section, nameof(options.MaxBufferedBytes), text => options.MaxBufferedBytes = int.Parse(text, CultureInfo.InvariantCulture));
        Read(section, nameof(options.MaxBufferedChunks), text => options.MaxBufferedChunks = int.Parse(text, CultureInfo.InvariantCulture));
        Read(section, nameof(options.RequestTimeout), text => options.RequestTimeout = ParseTime(text));
        Read(section, nameof(options.ReadSilence), text => options.ReadSilence = ParseTime(text));
        Read(section, nameof(options.MinBackoff), text => options.MinBackoff = ParseTime(text));
        Read(section, nameof(options.MaxBackoff), text => options.MaxBackoff = ParseTime(text));
        Read(section, nameof(options.GiveUpAfter), text => options.GiveUpAfter = ParseTime(text));
    }

    public ValidateOptionsResult Validate(string? name, RealtimeStreamsClientOptions options)
    {
        var faults = FindFaults(options).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    public static IEnumerable<string> FindFaults(RealtimeStreamsClientOptions options)
    {
        if (options.BaseAddress is not { IsAbsoluteUri: true, Scheme: "http" or "https", Query: "", Fragment: "" })
            yield return Fault(nameof(options.BaseAddress), "must be an absolute http or https address without a query");
        if (options.AccessTokenProvider is not null)
        {
            if (options.SecretKey is not null) yield return Fault(nameof(options.SecretKey), "must not be set together with an AccessTokenProvider");
        }
        else if (string.IsNullOrWhiteSpace(options.SecretKey) || !Ascii.IsPrintable(options.SecretKey))
        {
            yield return Fault(nameof(options.SecretKey), "must be set, in printable ASCII characters, or an AccessTokenProvider in its place");
        }
        if (options.MaxBufferedBytes is < 4096 or > 256 * 1024 * 1024)
            yield return Fault(nameof(options.MaxBufferedBytes), "must lie between 4096 and 268435456");
        if (options.MaxBufferedChunks is < 1 or > 1_000_000)
            yield return Fault(nameof(options.MaxBufferedChunks), "must lie between 1 and 1000000");
        if (!Fits(options.RequestTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)))
            yield return Fault(nameof(options.RequestTimeout), "must lie between 100 milliseconds and 1 hour");
        if (!Fits(options.ReadSilence, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)))
            yield return Fault(nameof(options.ReadSilence), "must lie between 100 milliseconds and 1 hour");
        if (!Fits(options.MinBackoff, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1)))
            yield return Fault(nameof(options.MinBackoff), "must lie between 1 millisecond and 1 minute");
        if (!Fits(options.MaxBackoff, options.MinBackoff, TimeSpan.FromHours(1)))
            yield return Fault(nameof(options.MaxBackoff), "must lie between MinBackoff and 1 hour");
        if (options.GiveUpAfter != Timeout.InfiniteTimeSpan && !Fits(options.GiveUpAfter, TimeSpan.Zero, TimeSpan.FromDays(1)))
            yield return Fault(nameof(options.GiveUpAfter), "must lie between 0 and 1 day, or be infinite (-00:00:00.001)");
    }

    private static bool Fits(TimeSpan value, TimeSpan least, TimeSpan most) => value >= least && value <= most;

    private static string Fault(string option, string rule) => $"{RealtimeStreamsClientOptions.Section}:{option} {rule}.";

    private static TimeSpan ParseTime(string text) => TimeSpan.Parse(text, CultureInfo.InvariantCulture);

    private static void Read(IConfigurationSection section, string option, Action<string> set)
    {
        if (section[option] is not { Length: > 0 } text) return;
        try
        {
            set(text);
        }
        catch (FormatException fault)
        {
            throw new InvalidOperationException($"{section.Path}:{option} cannot be read. {fault.Message}", fault);
        }
    }

    private static class Ascii
    {
        public static bool IsPrintable(string text) => text.All(c => c is > ' ' and < (char)127);
    }
}
