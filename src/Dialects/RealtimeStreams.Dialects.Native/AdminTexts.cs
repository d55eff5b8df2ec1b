using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native;

/// <summary>Environments and keys as they are told, by the admin API and by the operator's command.</summary>
public static class AdminTexts
{
    /// <summary>Environments.</summary>
    public static EnvironmentList Tell(this IReadOnlyList<EnvironmentEntry> environments) =>
        new([.. environments.Select(Tell)]);

    /// <summary>An environment.</summary>
    public static EnvironmentInfo Tell(this EnvironmentEntry environment) =>
        new(environment.Id.Value, environment.CreatedAt, environment.ValidKeys, environment.Settings);

    /// <summary>Keys, without the keys themselves.</summary>
    public static SecretKeyList Tell(this IReadOnlyList<SecretKeyEntry> keys) => new([.. keys.Select(Tell)]);

    /// <summary>A key, without the key itself.</summary>
    public static SecretKeyInfo Tell(this SecretKeyEntry key) =>
        new(key.Id, key.Prefix, key.Origin.Tell(), key.IsValid, key.CreatedAt, key.RotatedAt, key.ExpiresAt, key.RevokedAt);

    /// <summary>A new key, with the key itself: for whoever asked for it.</summary>
    public static MadeSecretKey Tell(this SecretKeyOutcome.Made made, EnvironmentId environment) =>
        new(environment.Value, made.Secret, made.Key.Tell(), made.Replaced?.Tell());

    /// <summary>The word for where a key came from.</summary>
    public static string Tell(this SecretKeyOrigin origin) => origin switch
    {
        SecretKeyOrigin.Configured => "configured",
        SecretKeyOrigin.Made => "made",
        SecretKeyOrigin.Issued => "issued",
        _ => throw new ArgumentOutOfRangeException(nameof(origin), origin, null),
    };
}
