using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Access;

namespace RealtimeStreams.Sdk.Http;

/// <summary>Sends requests to the server, and says of every failure whether it can heal.</summary>
internal sealed class Transport(
    HttpClient http, RealtimeStreamsClientOptions options, TimeProvider time, ILogger logger, SdkTelemetry telemetry)
{
    private const int MaxProblemBytes = 64 * 1024;
    private static readonly HttpRequestOptionsKey<TimeSpan> ServerWaits = new("RealtimeStreams.ServerWaits");
    private static readonly HttpRequestOptionsKey<TimeSpan> TryLimit = new("RealtimeStreams.TryLimit");
    private readonly Uri baseAddress = Paths.ToBase(options.BaseAddress!);
    private static readonly HttpRequestOptionsKey<AccessToken> Sent = new("RealtimeStreams.AccessToken");
    private readonly AccessTokens tokens = new(options, time, logger);

    public RealtimeStreamsClientOptions Options => options;

    public TimeProvider Time => time;

    public ILogger Logger => logger;

    public SdkTelemetry Telemetry => telemetry;

    public Retries NewRetries(string operation) => new(options, time, logger, telemetry, operation);

    /// <summary>A request without its credential, which it gets when it is sent.</summary>
    public HttpRequestMessage NewRequest(HttpMethod method, string path, HttpContent? content = null) =>
        new(method, new Uri(baseAddress, path)) { Content = content };

    /// <summary>The server says that the credential with which this was opened is none any more.</summary>
    /// <returns>Whether to open it again, with another one.</returns>
    public bool Refuse(HttpResponseMessage opened) =>
        opened.RequestMessage is { } request && request.Options.TryGetValue(Sent, out var token) && tokens.Refuse(token);

    /// <summary>Allows a request so much more time, for which it asks the server to wait.</summary>
    public static void AllowWait(HttpRequestMessage request, TimeSpan wait) => request.Options.Set(ServerWaits, wait);

    /// <summary>Allows a try no more than so much time, if that is less than the request timeout.</summary>
    public static void LimitTry(HttpRequestMessage request, TimeSpan limit) => request.Options.Set(TryLimit, limit);

    /// <summary>Sends until there is an answer: an idempotent request, made anew for each try.</summary>
    public async Task<T> SendAsync<T>(
        string operation,
        Func<HttpRequestMessage> makeRequest,
        Func<HttpResponseMessage, CancellationToken, ValueTask<T?>> read,
        CancellationToken cancellationToken)
        where T : class
    {
        var retries = NewRetries(operation);
        while (true)
        {
            using var request = makeRequest();
            var answer = await TrySendAsync(operation, request, read, cancellationToken).ConfigureAwait(false);
            if (answer.Value is { } value)
            {
                retries.Succeed();
                return value;
            }
            await retries.WaitAsync(answer.Failure!, answer.RetryAfter, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc cref="SendAsync{T}(string, Func{HttpRequestMessage}, Func{HttpResponseMessage, CancellationToken, ValueTask{T}}, CancellationToken)" />
    public Task<T> SendAsync<T>(string operation, Func<HttpRequestMessage> makeRequest, JsonTypeInfo<T> contract, CancellationToken cancellationToken)
        where T : class =>
        SendAsync(operation, makeRequest, (response, token) => ReadJsonAsync(response, contract, token), cancellationToken);

    /// <summary>Tries once, within the request timeout.</summary>
    /// <exception cref="OperationCanceledException">The caller's token was cancelled.</exception>
    public async Task<Answer<T>> TrySendAsync<T>(
        string operation,
        HttpRequestMessage request,
        Func<HttpResponseMessage, CancellationToken, ValueTask<T?>> read,
        CancellationToken cancellationToken)
        where T : class
    {
        if (await AuthorizeAsync(request, cancellationToken).ConfigureAwait(false) is { } none) return new Answer<T>(null, none, null);
        var started = time.GetTimestamp();
        var status = 0;
        var limit = request.Options.TryGetValue(ServerWaits, out var wait) ? options.RequestTimeout + wait : options.RequestTimeout;
        if (request.Options.TryGetValue(TryLimit, out var most) && most < limit) limit = most;
        using var timeout = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            status = (int)response.StatusCode;
            if (!response.IsSuccessStatusCode)
                return new Answer<T>(null, await ReadFailureAsync(response, request, either.Token).ConfigureAwait(false), FindRetryAfter(response));
            AccessTokens.Accept(TokenOf(request));
            var value = await read(response, either.Token).ConfigureAwait(false);
            return value is null ? new Answer<T>(null, NotOurs(response.StatusCode), null) : new Answer<T>(value, null, null);
        }
        catch (Exception failure) when (IsLoss(failure) && !cancellationToken.IsCancellationRequested)
        {
            return new Answer<T>(null, Lost(failure), null);
        }
        finally
        {
            telemetry.RequestDuration.Record(
                time.GetElapsedTime(started).TotalSeconds,
                new KeyValuePair<string, object?>("operation", operation),
                new KeyValuePair<string, object?>("http.response.status_code", status));
        }
    }

    /// <summary>Opens a response whose body lasts. The caller disposes it.</summary>
    /// <param name="request">Accepts what it wants.</param>
    /// <param name="mediaType">The media type without which the answer is not the server's.</param>
    /// <param name="connecting">Also ends the wait for the response's start.</param>
    public async Task<Answer<HttpResponseMessage>> TryOpenAsync(HttpRequestMessage request, string mediaType, CancellationToken connecting)
    {
        HttpResponseMessage? response = null;
        try
        {
            if (await AuthorizeAsync(request, connecting).ConfigureAwait(false) is { } none) return new Answer<HttpResponseMessage>(null, none, null);
            response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, connecting).ConfigureAwait(false);
            RealtimeStreamsException? failure = null;
            if (response.IsSuccessStatusCode) AccessTokens.Accept(TokenOf(request));
            else failure = await ReadFailureAsync(response, request, connecting).ConfigureAwait(false);
            if (failure is null && response.Content.Headers.ContentType?.MediaType != mediaType) failure = NotOurs(response.StatusCode);
            if (failure is null) return new Answer<HttpResponseMessage>(response, null, null);
            var retryAfter = FindRetryAfter(response);
            response.Dispose();
            return new Answer<HttpResponseMessage>(null, failure, retryAfter);
        }
        catch (Exception failure) when (IsLoss(failure))
        {
            response?.Dispose();
            return new Answer<HttpResponseMessage>(null, Lost(failure), null);
        }
    }

    /// <summary>Whether an exception says that a connection failed or took too long, not that the program is wrong.</summary>
    /// <remarks>A <see cref="SocketException"/> comes bare from HttpClient when a connection is reset right after it was made (HttpConnectionPool.ConnectAsync asks
    /// for its remote end outside of what wraps exceptions).</remarks>
    public static bool IsLoss(Exception failure) =>
        failure is HttpRequestException or SocketException or IOException or JsonException or OperationCanceledException;

    public static RealtimeStreamsException Lost(Exception failure) =>
        new($"The server could not be reached: {(failure is OperationCanceledException ? "it took too long." : failure.Message)}", failure)
        {
            Code = RealtimeStreamsException.Unreachable,
            Retryable = true,
        };

    public static async ValueTask<T?> ReadJsonAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> contract, CancellationToken cancellationToken)
        where T : class
    {
        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
            return await JsonSerializer.DeserializeAsync(body, contract, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives a request its credential. Returns why it has none.</summary>
    private async ValueTask<RealtimeStreamsException?> AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            var token = await tokens.GetAsync(cancellationToken).ConfigureAwait(false);
            request.Headers.Authorization = token.Header;
            request.Options.Set(Sent, token);
            return null;
        }
        catch (RealtimeStreamsException failure)
        {
            return failure;
        }
    }

    private static AccessToken TokenOf(HttpRequestMessage request) =>
        request.Options.TryGetValue(Sent, out var token) ? token : throw new InvalidOperationException("The request was sent without a credential.");

    private async ValueTask<RealtimeStreamsException> ReadFailureAsync(HttpResponseMessage response, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var failure = await ReadFailureAsync(response, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.Unauthorized) return failure;
        return tokens.Refuse(TokenOf(request)) ? failure.AsRetryable() : failure;
    }

    private static async ValueTask<RealtimeStreamsException> ReadFailureAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var type = response.Content.Headers.ContentType?.MediaType;
        if (type is not ("application/problem+json" or "application/json") || response.Content.Headers.ContentLength > MaxProblemBytes)
            return NotOurs(response.StatusCode);
        try
        {
            var problem = await ReadJsonAsync(response, NativeJson.Default.Problem, cancellationToken).ConfigureAwait(false);
            if (problem?.Code is null) return NotOurs(response.StatusCode);
            return new RealtimeStreamsException(problem.Status == 0 ? problem with { Status = (int)response.StatusCode } : problem);
        }
        catch (JsonException)
        {
            return NotOurs(response.StatusCode); // Something on the way answered in its own words.
        }
    }

    /// <summary>An answer without problem details: of HEAD, or of something between the client and the server.</summary>
    private static RealtimeStreamsException NotOurs(HttpStatusCode status) =>
        new(string.Create(CultureInfo.InvariantCulture, $"The answer has the status {(int)status}, and tells no reason that a RealtimeStreams server would."))
        {
            Status = (int)status,
            Code = status switch
            {
                HttpStatusCode.Unauthorized => ErrorCode.Unauthorized.Code,
                HttpStatusCode.NotFound => ErrorCode.NotFound.Code,
                _ => RealtimeStreamsException.BadAnswer,
            },
            Retryable = status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)status is >= 500 or < 300,
        };

    private TimeSpan? FindRetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - time.GetUtcNow(),
        _ => null,
    };
}
