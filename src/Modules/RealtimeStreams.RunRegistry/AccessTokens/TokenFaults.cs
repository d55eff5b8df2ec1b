namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>Why a token was refused, for the counter alone: whoever sent it is not told which.</summary>
internal static class TokenFaults
{
    /// <summary>No token of this product's kind: not HS256, no JSON, a claim that is missing or wrong.</summary>
    public const string Malformed = "malformed";

    public const string Expired = "expired";

    /// <summary>Made, or valid, later than now.</summary>
    public const string NotYetValid = "not_yet_valid";

    /// <summary>No valid key of the environment that it names signed it, or there is no such environment.</summary>
    public const string BadSignature = "bad_signature";

    public const string Revoked = "revoked";

    /// <summary>It is valid, and does not allow what was asked.</summary>
    public const string WrongScope = "wrong_scope";
}

/// <summary>What came of checking a token: what it grants and the key that signed it, or the fault.</summary>
internal readonly record struct TokenCheck(AccessGrant? Grant, KeyMark Key, string? Fault)
{
    public static TokenCheck Refused(string fault) => new(null, default, fault);
}
