using System.Globalization;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Http;

/// <summary>Whose limit one is.</summary>
public enum LimitOwner
{
    /// <summary>The environment's: all its callers share it.</summary>
    Environment,

    /// <summary>The public token's.</summary>
    Token,

    /// <summary>The client address's.</summary>
    Address,
}

/// <summary>A request was refused because more came, or was open, than a limit allows. Nothing of it was done.</summary>
/// <param name="Limit">The limit's name, as in an environment's settings.</param>
/// <param name="Value">Its value.</param>
/// <param name="Owner">Whose it is.</param>
/// <param name="Wait">After what time another try may succeed.</param>
public sealed record LimitRefusal(string Limit, long Value, LimitOwner Owner, TimeSpan Wait)
{
    /// <summary>What <c>Retry-After</c> says: whole seconds, at least one.</summary>
    public int RetryAfter => Math.Max(1, (int)Math.Min(Math.Ceiling(Wait.TotalSeconds), 3600));

    /// <summary>The owner, in a word.</summary>
    public string Of => Owner switch
    {
        LimitOwner.Environment => "environment",
        LimitOwner.Token => "token",
        _ => "address",
    };

    /// <summary>The refusal as the table of errors has it.</summary>
    public Refusal Refusal => new(ErrorCode.RateLimited, string.Create(
        CultureInfo.InvariantCulture,
        $"The limit {Limit} of this {(Owner == LimitOwner.Address ? "client address" : Of)} is {Value}, and it is reached. Try again in {RetryAfter} s."));

    /// <summary>The refusal as a problem.</summary>
    public Problem Describe() => Problems.Describe(Refusal) with { Limit = new LimitInfo(Limit, Value, Of) };
}
