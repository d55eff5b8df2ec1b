using System.ComponentModel.DataAnnotations;

using Microsoft.Extensions.Options;

namespace RealtimeStreams.EmbeddedBroker;

/// <summary>How the embedded broker is found and run.</summary>
public sealed class EmbeddedBrokerOptions
{
    /// <summary>The configuration section: <c>RealtimeStreams</c>.</summary>
    public const string Section = "RealtimeStreams";

    /// <summary>Where embedded data lives. Default: <c>.data</c> under the working directory. The broker uses its folder <c>broker</c>.</summary>
    [Required(AllowEmptyStrings = false)]
    public string DataDirectory { get; set; } = ".data";

    /// <summary>The nats-server executable to use, version 2.12 or newer. Default: none; it is looked for, and fetched when it is nowhere.</summary>
    public string? NatsServerPath { get; set; }

    /// <summary>The broker's own settings.</summary>
    [Required, ValidateObjectMembers]
    public BrokerSettings Broker { get; set; } = new();

    /// <summary>Settings of the embedded broker, under <c>RealtimeStreams:Broker</c>.</summary>
    public sealed class BrokerSettings
    {
        /// <summary>
        /// How often the broker flushes its files to the disk: a Go duration such as <c>200ms</c> or <c>1m</c>, or <c>always</c> for a
        /// flush before every acknowledgement. Default: <c>200ms</c>, which survives any crash of a process, and loses at most
        /// that much when the machine loses power.
        /// </summary>
        [Required, RegularExpression(@"^(always|[0-9]+(\.[0-9]+)?(ms|s|m|h))$", ErrorMessage =
            "RealtimeStreams:Broker:SyncInterval is \"always\" or a duration such as \"200ms\" or \"2s\".")]
        public string SyncInterval { get; set; } = "200ms";

        /// <summary>How many bytes the broker may store. Default: none; nats-server takes three quarters of the free disk.</summary>
        [Range(64L * 1024 * 1024, long.MaxValue)]
        public long? MaxStoreBytes { get; set; }

        /// <summary>How long the broker may take from its start until it answers, in which it recovers its store. Default: 2 minutes.</summary>
        [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
        public TimeSpan StartTimeout { get; set; } = TimeSpan.FromMinutes(2);
    }
}
