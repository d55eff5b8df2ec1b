using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Http;

/// <summary>Kinds of credentials, as receipts name them. Never the credential.</summary>
public static class CredentialNames
{
    /// <summary><c>secret-key</c>, <c>token</c>, or <c>token:</c> and the id of a token that was issued here.</summary>
    /// <param name="grant">What a token grants; null for a secret key.</param>
    public static string NameOf(AccessGrant? grant) => grant switch
    {
        null => "secret-key",
        { TokenId: { } id } => $"token:{id}",
        _ => "token",
    };
}
