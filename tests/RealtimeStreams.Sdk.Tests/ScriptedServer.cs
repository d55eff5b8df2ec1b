using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk.Tests;

/// <summary>A server on a loopback port that keeps appended chunks as the real one would, and plays the faults that a test scripts.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly Lock gate = new();
    private readonly List<string> chunks = [];
    private readonly Dictionary<string, long> sequences = [];
    private readonly Dictionary<string, long> idempotency = [];

    private ScriptedServer(WebApplication app) => this.app = app;

    public Uri Address => new(app.Urls.Single());

    /// <summary>What happens to the next appends, in turn; afterwards all goes well.</summary>
    public ConcurrentQueue<Func<HttpContext, Func<Task>, Task>> AppendFaults { get; } = new();

    /// <summary>What the next reads get, in turn.</summary>
    public ConcurrentQueue<Func<HttpContext, Task>> Reads { get; } = new();

    /// <summary>What all other requests get.</summary>
    public Func<HttpContext, string, Task> Others { get; set; } = (context, _) => RefuseAsync(context, ErrorCode.NotFound);

    /// <summary>All requests: method, path and query.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public ConcurrentQueue<string> Credentials { get; } = new();

    public IReadOnlyList<string> Chunks
    {
        get
        {
            lock (gate) return [.. chunks];
        }
    }

    public static async Task<ScriptedServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new ScriptedServer(app);
        app.Run(server.AnswerAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public RealtimeStreamsClientOptions NewOptions() => new()
    {
        BaseAddress = Address,
        SecretKey = "test-key",
        MinBackoff = TimeSpan.FromMilliseconds(1),
        MaxBackoff = TimeSpan.FromMilliseconds(10),
    };

    public RealtimeStreamsClient NewClient(Action<RealtimeStreamsClientOptions>? configure = null, TimeProvider? time = null)
    {
        var options = NewOptions();
        configure?.Invoke(options);
        return new RealtimeStreamsClient(options, timeProvider: time);
    }

    public static Task RefuseAsync(HttpContext context, ErrorCode code, AppendReceipt? receipt = null, long? expectedSequence = null)
    {
        context.Response.StatusCode = code.Status;
        context.Response.ContentType = "application/problem+json";
        var problem = new Problem { Code = code.Code, Status = code.Status, Retryable = code.Retryable, Title = code.Title, Receipt = receipt, ExpectedSequence = expectedSequence };
        return context.Response.WriteAsync(JsonSerializer.Serialize(problem, NativeJson.Default.Problem));
    }

    /// <summary>A read that sends these bytes and then ends, or is cut.</summary>
    public static Func<HttpContext, Task> Events(string text, bool cut = false) => async context =>
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync(text);
        await context.Response.Body.FlushAsync();
        if (cut) context.Abort();
    };

    /// <summary>A read that sends these bytes and then nothing, until the client has gone.</summary>
    public static Func<HttpContext, Task> SilenceAfter(string text) => async context =>
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync(text);
        await context.Response.Body.FlushAsync();
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted)
            .ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    };

    public static string Chunk(long index, string json) =>
        string.Create(CultureInfo.InvariantCulture, $"id: {index}\ndata: {json}\n\n");

    public static string Ended(long nextIndex, string outcome = "completed") =>
        string.Create(CultureInfo.InvariantCulture, $"event: end\ndata: {{\"outcome\":\"{outcome}\",\"nextIndex\":{nextIndex}}}\n\n");

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var target = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget;
        Requests.Enqueue($"{context.Request.Method} {target}");
        Credentials.Enqueue(context.Request.Headers.Authorization.ToString());
        var isStream = target.Contains("/streams/", StringComparison.Ordinal) && !target.EndsWith("/close", StringComparison.Ordinal);
        if (isStream && context.Request.Method == "POST")
        {
            if (AppendFaults.TryDequeue(out var fault)) await fault(context, () => StoreAsync(context));
            else await StoreAsync(context);
        }
        else if (isStream && context.Request.Method == "GET")
        {
            if (Reads.TryDequeue(out var read)) await read(context);
            else await RefuseAsync(context, ErrorCode.StreamNotFound);
        }
        else
        {
            using var reader = new StreamReader(context.Request.Body);
            await Others(context, await reader.ReadToEndAsync());
        }
    }

    private async Task StoreAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync();
        await context.Response.WriteAsync(JsonSerializer.Serialize(Store(context.Request, body, int.MaxValue), NativeJson.Default.AppendReceipt));
    }

    /// <summary>Stores up to <paramref name="most"/> of the body's chunks, each once.</summary>
    public AppendReceipt Store(HttpRequest request, string body, int most)
    {
        lock (gate)
        {
            var first = chunks.Count;
            if (request.Headers[NativeHeaders.IdempotencyKey].ToString() is { Length: > 0 } key)
            {
                if (idempotency.TryGetValue(key, out var known)) return new AppendReceipt(known, known + 1, 0, 1, null);
                idempotency[key] = first;
                chunks.Add(body);
                return new AppendReceipt(first, first + 1, 1, 0, null);
            }
            var producer = $"{request.Headers[NativeHeaders.ProducerId]}/{request.Headers[NativeHeaders.ProducerEpoch]}";
            var sequence = long.Parse(request.Headers[NativeHeaders.ProducerSequence].ToString(), CultureInfo.InvariantCulture);
            var next = sequences.GetValueOrDefault(producer);
            if (sequence > next) throw new InvalidOperationException($"Sequence {sequence} came in place of {next}.");
            var lines = body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Take(most).ToList();
            var duplicates = (int)Math.Min(next - sequence, lines.Count);
            chunks.AddRange(lines.Skip(duplicates));
            next = Math.Max(next, sequence + lines.Count);
            sequences[producer] = next;
            return new AppendReceipt(duplicates == 0 ? first : null, chunks.Count, lines.Count - duplicates, duplicates, next);
        }
    }
}
