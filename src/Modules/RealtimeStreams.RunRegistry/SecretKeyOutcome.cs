using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>What a change of an environment's keys came to.</summary>
public abstract record SecretKeyOutcome
{
    private SecretKeyOutcome()
    {
    }

    /// <summary>A key was made.</summary>
    /// <param name="Key">What is told of it from now on.</param>
    /// <param name="Secret">The key itself: to be handed to whoever asked and to nobody else, now or never. Not for a log.</param>
    /// <param name="Replaced">The key in whose place it is, if it was made by a rotation.</param>
    public sealed record Made(SecretKeyEntry Key, string Secret, SecretKeyEntry? Replaced) : SecretKeyOutcome
    {
        /// <summary>Without the secret.</summary>
        public override string ToString() => $"{nameof(Made)} {Key.Id}";
    }

    /// <summary>The key opens nothing any more.</summary>
    /// <param name="Key">The key as it is now.</param>
    public sealed record Revoked(SecretKeyEntry Key) : SecretKeyOutcome;

    /// <summary>Nothing was changed.</summary>
    /// <param name="Refusal">Why.</param>
    public sealed record Refused(Refusal Refusal) : SecretKeyOutcome;
}
