using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native;

/// <summary>Settings of the native dialect.</summary>
public sealed class NativeDialectOptions
{
    /// <summary>The section that holds them.</summary>
    public const string Section = "RealtimeStreams";

    /// <summary>
    /// Opens the admin API, and nothing else: 16 to 256 visible ASCII characters, other than the default environment's secret key. Absent: there is no admin API.
    /// </summary>
    [StringLength(256, MinimumLength = 16, ErrorMessage = "RealtimeStreams:OperatorKey must have 16 to 256 characters.")]
    [RegularExpression("[!-~]+", ErrorMessage = "RealtimeStreams:OperatorKey may hold visible ASCII characters only.")]
    public string? OperatorKey { get; set; }
}

[OptionsValidator]
internal sealed partial class NativeDialectOptionsValidator : IValidateOptions<NativeDialectOptions>;

/// <summary>An operator key that were a tenant's too would make every backend of that tenant an operator.</summary>
internal sealed class OperatorKeyIsNoSecretKey(IOptions<RunRegistryOptions> registry) : IValidateOptions<NativeDialectOptions>
{
    public ValidateOptionsResult Validate(string? name, NativeDialectOptions options) =>
        options.OperatorKey is { } key && key == registry.Value.SecretKey
            ? ValidateOptionsResult.Fail("RealtimeStreams:OperatorKey must not be RealtimeStreams:SecretKey, which tenants have. Set another one.")
            : ValidateOptionsResult.Success;
}
