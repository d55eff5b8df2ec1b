using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging;

namespace RealtimeStreams.RunRegistry.SecretKeys;

/// <summary>Encrypts secret keys for the database, and decrypts them.</summary>
internal sealed partial class SecretKeyProtector(IDataProtectionProvider protection, ILogger<SecretKeyProtector> logger)
{
    /// <summary>One name for all servers, whatever folder each runs in: data protection would otherwise keep them apart.</summary>
    public const string ApplicationName = "RealtimeStreams";

    private readonly IDataProtector protector = protection.CreateProtector("RealtimeStreams.RunRegistry.SecretKeys.v1");

    public string Protect(string secretKey) => protector.Protect(secretKey);

    /// <summary>False where there is no ciphertext, or one that no key of the ring opens: the secret key must be seen again then.</summary>
    public bool TryUnprotect(string? ciphertext, [NotNullWhen(true)] out string? secretKey)
    {
        secretKey = null;
        if (ciphertext is null) return false;
        try
        {
            secretKey = protector.Unprotect(ciphertext);
            return true;
        }
        catch (CryptographicException exception)
        {
            LogUnreadable(exception);
            return false;
        }
    }

    [LoggerMessage(EventId = 1412, Level = LogLevel.Warning,
        Message = "A secret key in the registry cannot be decrypted with the key ring that is there; it is encrypted anew when a client uses it")]
    private partial void LogUnreadable(Exception exception);
}
