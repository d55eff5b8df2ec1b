using System.Globalization;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace RealtimeStreams.Sdk.Workers;

/// <summary>Reads and checks <see cref="RealtimeStreamsWorkerOptions"/>, by hand so that native programs can.</summary>
internal sealed class WorkerSettings(IConfiguration? configuration = null)
    : IConfigureOptions<RealtimeStreamsWorkerOptions>, IValidateOptions<RealtimeStreamsWorkerOptions>
{
    private const int MaxWorkerBytes = 256;

    public void Configure(RealtimeStreamsWorkerOptions options)
    {
        if (configuration?.GetSection(RealtimeStreamsWorkerOptions.Section) is not { } section) return;
        options.MaxConcurrentRuns = Read(section, nameof(options.MaxConcurrentRuns), int.Parse, options.MaxConcurrentRuns);
        options.Lease = Read(section, nameof(options.Lease), TimeSpan.Parse, options.Lease);
        options.DrainTime = Read(section, nameof(options.DrainTime), TimeSpan.Parse, options.DrainTime);
        options.Worker = section[nameof(options.Worker)] is { Length: > 0 } worker ? worker : options.Worker;
    }

    public ValidateOptionsResult Validate(string? name, RealtimeStreamsWorkerOptions options)
    {
        var faults = new List<string>();
        if (options.MaxConcurrentRuns is < 1 or > 1000) Add(nameof(options.MaxConcurrentRuns), "must lie between 1 and 1000");
        if (options.Lease < TimeSpan.FromSeconds(1) || options.Lease > TimeSpan.FromHours(1)) Add(nameof(options.Lease), "must lie between 1 second and 1 hour");
        if (options.DrainTime < TimeSpan.Zero || options.DrainTime > TimeSpan.FromDays(1)) Add(nameof(options.DrainTime), "must lie between 0 and 1 day");
        if (options.Worker is { } worker && (worker.Length == 0 || Encoding.UTF8.GetByteCount(worker) > MaxWorkerBytes || worker.Any(char.IsControl)))
            Add(nameof(options.Worker), $"must have 1 to {MaxWorkerBytes} bytes and no control characters");
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Add(string option, string rule) => faults.Add($"{RealtimeStreamsWorkerOptions.Section}:{option} {rule}.");
    }

    private static T Read<T>(IConfigurationSection section, string option, Func<string, IFormatProvider, T> parse, T otherwise)
    {
        if (section[option] is not { Length: > 0 } text) return otherwise;
        try
        {
            return parse(text, CultureInfo.InvariantCulture);
        }
        catch (Exception fault) when (fault is FormatException or OverflowException)
        {
            throw new InvalidOperationException($"{section.Path}:{option} cannot be read. {fault.Message}", fault);
        }
    }
}
