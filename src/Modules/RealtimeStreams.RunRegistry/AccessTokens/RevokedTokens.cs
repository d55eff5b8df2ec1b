using System.Collections.Immutable;

namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>Which tokens of one environment are revoked.</summary>
/// <param name="Ids">Single ones.</param>
/// <param name="MadeUntil">All that were made until the end of this second; null: no such rule.</param>
internal sealed record RevokedTokens(ImmutableHashSet<string> Ids, DateTimeOffset? MadeUntil)
{
    public static readonly RevokedTokens None = new(ImmutableHashSet.Create<string>(StringComparer.Ordinal), null);

    public static RevokedTokens Of(IEnumerable<(string Token, DateTimeOffset? MadeUntil)> rows)
    {
        var ids = None.Ids.ToBuilder();
        DateTimeOffset? until = null;
        foreach (var (token, madeUntil) in rows)
        {
            if (madeUntil is null) ids.Add(token);
            else if (until is null || madeUntil > until) until = madeUntil;
        }
        return new RevokedTokens(ids.ToImmutable(), until);
    }

    public bool Revokes(AccessGrant grant) =>
        (grant.TokenId is { } id && Ids.Contains(id))
        || (MadeUntil is { } until && (grant.IssuedAt is not { } issuedAt || issuedAt.ToUnixTimeSeconds() <= until.ToUnixTimeSeconds()));

    /// <summary>What a token that is made now says of that: in the second of a revocation of all, the next one. Tokens may be ahead by more than that.</summary>
    public DateTimeOffset FirstValid(DateTimeOffset now) =>
        MadeUntil is { } until && until.ToUnixTimeSeconds() == now.ToUnixTimeSeconds() ? now.AddSeconds(1) : now;

    /// <summary>Both together.</summary>
    public RevokedTokens And(RevokedTokens more) =>
        new(Ids.Union(more.Ids), MadeUntil is null || more.MadeUntil > MadeUntil ? more.MadeUntil : MadeUntil);
}
