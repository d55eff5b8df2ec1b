using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace RealtimeStreams.Dialects.Trigger;

/// <summary>Settings of the Trigger dialect that concern S2, through which writers of v2 runs write.</summary>
public sealed class TriggerDialectOptions
{
    /// <summary>The section, which the S2 dialect has too.</summary>
    public const string Section = "RealtimeStreams:S2";

    /// <summary>
    /// The address of the S2 dialect as writers reach it, for example <c>https://streams.example/v1</c>. Absent: the address that a writer's request
    /// names, and <c>/v1</c>. To be set where a proxy speaks TLS for the server, or changes the host.
    /// </summary>
    [RegularExpression("https?://[^?#\\s]+", ErrorMessage = "RealtimeStreams:S2:Endpoint must be an http or https address without a query.")]
    public string? Endpoint { get; set; }

    /// <summary>How long a writer collects chunks before it sends them. Default: 50 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:05")]
    public TimeSpan FlushInterval { get; set; } = TimeSpan.FromMilliseconds(50);
}

[OptionsValidator]
internal sealed partial class TriggerDialectOptionsValidator : IValidateOptions<TriggerDialectOptions>;
