namespace RealtimeStreams.RunRegistry;

/// <summary>Where a secret key came from. The numbers are stored.</summary>
public enum SecretKeyOrigin
{
    /// <summary>From <see cref="RunRegistryOptions.SecretKey"/>; replaced when that changes.</summary>
    Configured = 1,

    /// <summary>Made at a server's first start, and kept in its data directory.</summary>
    Made = 2,

    /// <summary>Made for an operator, who alone was shown it.</summary>
    Issued = 3,
}
