using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Finds out who asks, by a secret key or an access token, and watches over it while something goes on that it allowed.</summary>
public interface ICredentials
{
    /// <summary>What a credential opens; null when it is neither a valid secret key nor a valid access token. What is refused is counted, with the reason.</summary>
    /// <remarks>How long something may be answered from memory: <see cref="IEnvironments.FindBySecretKeyAsync"/> and <see cref="IAccessTokens.VerifyAsync"/>.</remarks>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached.</exception>
    ValueTask<Credential?> FindAsync(string bearer, CancellationToken cancellationToken);

    /// <summary>The same for whoever has guessed too often: a secret key is not looked up, so that it opens something only if it did here not long ago. Nothing is counted.</summary>
    /// <remarks>Tokens are verified as ever. Those that open nothing cost one query in two seconds for each environment that there is, and one for all names of none.</remarks>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached.</exception>
    ValueTask<Credential?> FindKnownAsync(string bearer, CancellationToken cancellationToken);

    /// <summary>Watches a credential while something that it allowed goes on.</summary>
    /// <returns>
    /// Tells the moment from which on the credential is none: a token that expires or is revoked; a secret key, that was sent or that signed the token, which
    /// expires or is revoked. At that moment for what expires; within a second for what is revoked on another node. Dispose it when that something is over.
    /// </returns>
    IAccessWatch Watch(Credential credential);

    /// <summary>Counts that a valid token did not allow what was asked.</summary>
    void CountForbidden();
}

/// <summary>A credential that was valid when it was found.</summary>
public sealed class Credential
{
    /// <summary>A credential that hangs on no secret key that could be revoked.</summary>
    /// <param name="environment">The environment that it opens.</param>
    /// <param name="grant">What it grants there; null: everything.</param>
    public Credential(EnvironmentId environment, AccessGrant? grant)
    {
        Environment = environment;
        Grant = grant;
    }

    internal Credential(EnvironmentId environment, AccessGrant? grant, KeyMark key)
        : this(environment, grant) => Key = key;

    /// <summary>The environment that it opens.</summary>
    public EnvironmentId Environment { get; }

    /// <summary>What a token grants in it; null for a secret key, which may do everything.</summary>
    public AccessGrant? Grant { get; }

    /// <summary>Whose it is, for receipts and the log: the id of the secret key, or of the token and the key that signed it. Nothing of it opens anything.</summary>
    public string Name => Grant is null ? KeyName : $"token {Grant.TokenId ?? "without an id"}, signed with {KeyName}";

    /// <summary>The secret key that was sent, or that signed the token; null: none.</summary>
    internal KeyMark? Key { get; }

    private string KeyName => Key is { Id: var id } ? $"key {id}" : "a secret key";

    /// <summary>Whose it is, without what it is.</summary>
    public override string ToString() => $"{Environment}, {(Grant is null ? "secret key" : "access token")}";
}

/// <summary>Which secret key something hangs on, without being it.</summary>
/// <param name="Id">What operators call it.</param>
/// <param name="Digest">The key's SHA-256, hexadecimal.</param>
/// <param name="ExpiresAt">From when on it is none; null: that is not known of yet.</param>
/// <param name="Generation">Which state of the keys that was read from.</param>
internal readonly record struct KeyMark(string Id, string Digest, DateTimeOffset? ExpiresAt, long Generation);
