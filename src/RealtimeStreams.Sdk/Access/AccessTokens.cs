using Microsoft.Extensions.Logging;
using RealtimeStreams.Sdk.Http;

namespace RealtimeStreams.Sdk.Access;

/// <summary>The client's credential: the secret key, or the token that the application's callback gave last. Safe for many threads; all share one renewal.</summary>
internal sealed class AccessTokens
{
    private readonly Lock gate = new();
    private readonly Func<CancellationToken, ValueTask<string>>? provider;
    private readonly TimeSpan patience;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    // Of the gate.
    private AccessToken? current;
    private Task<AccessToken>? renewal;
    private bool wasRefused; // The token before was.

    public AccessTokens(RealtimeStreamsClientOptions options, TimeProvider time, ILogger logger)
    {
        provider = options.AccessTokenProvider;
        patience = options.RequestTimeout;
        this.time = time;
        this.logger = logger;
        if (provider is null) current = AccessToken.OfKey(options.SecretKey!);
    }

    /// <summary>The credential to send. Asks the callback where there is none, or where it ends soon.</summary>
    /// <exception cref="RealtimeStreamsException">The callback gave none.</exception>
    public ValueTask<AccessToken> GetAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            var token = current;
            if (token is not null && (token.Times is not { } times || time.GetElapsedTime(token.Given) < times.Renew)) return new(token);
            // On the pool, as the gate is held here.
            renewal ??= Task.Run(() => RenewAsync(token), CancellationToken.None);
            return new(renewal.IsCompletedSuccessfully ? renewal : renewal.WaitAsync(cancellationToken));
        }
    }

    /// <summary>The server took a credential.</summary>
    public static void Accept(AccessToken token) => token.WasTaken = true;

    /// <summary>The server refused a credential, or ended what went on with it: the next request has another one.</summary>
    /// <returns>Whether that is worth trying: not with a secret key, nor when the callback has just replaced a refused token by one that is refused too.</returns>
    public bool Refuse(AccessToken token)
    {
        if (provider is null) return false;
        lock (gate)
        {
            if (current == token)
            {
                current = null;
                wasRefused = true;
            }
            // Said once, so that many who sent the same one do not each have another one asked for.
            return token.CanBeReplaced ??= token.WasTaken || !token.IsReplacement;
        }
    }

    /// <summary>Asks the callback, once for all who wait. Nobody's cancellation but its own ends it.</summary>
    private async Task<AccessToken> RenewAsync(AccessToken? before)
    {
        AccessToken? made = null;
        bool isReplacement;
        lock (gate) isReplacement = wasRefused;
        try
        {
            made = await AskAsync(isReplacement).ConfigureAwait(false);
            logger.LogTokenRenewed(made.Times?.End);
            return made;
        }
        catch (RealtimeStreamsException failure) when (IsStillGood(before))
        {
            logger.LogTokenNotRenewed(failure.Message);
            lock (gate) before!.Postpone(time.GetElapsedTime(before.Given));
            return before;
        }
        finally
        {
            lock (gate)
            {
                renewal = null;
                if (made is not null)
                {
                    current = made;
                    wasRefused = false;
                }
            }
        }
    }

    private async Task<AccessToken> AskAsync(bool isReplacement)
    {
        using var limit = new CancellationTokenSource(patience, time);
        string? text;
        var asked = time.GetTimestamp(); // Before the token was made, and so never too late.
        try
        {
            text = await provider!(limit.Token).AsTask().WaitAsync(patience, time).ConfigureAwait(false);
        }
        catch (Exception thrown)
        {
            var late = thrown is TimeoutException || (thrown is OperationCanceledException && limit.IsCancellationRequested);
            throw new RealtimeStreamsException(
                late ? $"The AccessTokenProvider gave no token within {patience}." : $"The AccessTokenProvider failed: {thrown.Message}", thrown)
            {
                Code = RealtimeStreamsException.NoAccessToken,
                Retryable = late || Transport.IsLoss(thrown) || thrown is RealtimeStreamsException { Retryable: true },
            };
        }
        return AccessToken.TryMake(text, isReplacement, time.GetUtcNow(), asked)
            ?? throw new RealtimeStreamsException("The AccessTokenProvider gave what cannot be a token: 1 to 8192 printable ASCII characters.")
            {
                Code = RealtimeStreamsException.NoAccessToken,
            };
    }

    private bool IsStillGood(AccessToken? token) =>
        token is { CanBeReplaced: null, Times: { } times } && time.GetElapsedTime(token.Given) < times.End;
}
