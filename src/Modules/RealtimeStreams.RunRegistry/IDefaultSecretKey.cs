namespace RealtimeStreams.RunRegistry;

/// <summary>The secret key that opens the default environment. For a server's start in Development; never for a log.</summary>
public interface IDefaultSecretKey
{
    /// <summary>The key, as configured or as made once and kept in the data directory. Waits until the registry has been set up.</summary>
    Task<string> GetAsync(CancellationToken cancellationToken);
}
