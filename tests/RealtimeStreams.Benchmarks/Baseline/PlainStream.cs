using System.Diagnostics;
using System.Globalization;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Benchmarks.Baseline;

/// <summary>
/// The baseline: NATS.Net as it comes, one message a chunk, on a plain JetStream stream (file, one replica) of the same broker that the
/// product uses.
/// </summary>
internal sealed class PlainStream : IAsyncDisposable
{
    /// <summary>Publishes in flight of what the target table calls BASE.</summary>
    public const int InFlight = 256;

    private static int made;

    private readonly NatsConnection connection;

    private PlainStream(NatsConnection connection, string name)
    {
        this.connection = connection;
        Context = new NatsJSContext(connection);
        Name = name;
    }

    public INatsJSContext Context { get; }

    /// <summary>The JetStream stream. Its subjects are its name, a dot, and anything.</summary>
    public string Name { get; }

    /// <summary>The one subject that publishes go to.</summary>
    public string Subject => Name + ".chunks";

    /// <summary>Where the broker repeats what it has stored, when asked to.</summary>
    public string RepeatedSubject => "repeated." + Subject;

    public NatsConnection Connection => connection;

    /// <summary>What the broker says of itself.</summary>
    public string ServerVersion => connection.ServerInfo?.Version ?? "unknown";

    /// <summary>Connects and makes the stream.</summary>
    public static async Task<PlainStream> CreateAsync(TestBroker broker, CancellationToken cancellationToken, bool repeat = false)
    {
        var connection = new NatsConnection(new NatsOpts { Url = broker.Url });
        try
        {
            var plain = new PlainStream(connection, string.Create(CultureInfo.InvariantCulture, $"BASE{Interlocked.Increment(ref made)}"));
            await plain.Context.CreateStreamAsync(
                new StreamConfig(plain.Name, [plain.Name + ".>"])
                {
                    Storage = StreamConfigStorage.File,
                    NumReplicas = 1,
                    Republish = repeat ? new Republish { Src = plain.Name + ".>", Dest = "repeated." + plain.Name + ".>" } : null,
                },
                cancellationToken);
            return plain;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Publishes and waits for the acknowledgement.</summary>
    public async Task PublishAsync(byte[] chunk)
    {
        var acknowledgement = await Context.PublishAsync(Subject, chunk);
        acknowledgement.EnsureSuccess();
    }

    /// <summary>BASE: messages a second with 256 publishes in flight.</summary>
    public Task<double> PublishPerSecondAsync(int bytes, TimeSpan duration)
    {
        var chunk = Chunks.OfBytes(bytes);
        return ClosedLoop.PerSecondAsync(InFlight, duration, _ => PublishAsync(chunk));
    }

    /// <summary>Stores so many messages of a size.</summary>
    public async Task FillAsync(int count, int bytes)
    {
        var chunk = Chunks.OfBytes(bytes);
        var left = count;
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0) await PublishAsync(chunk);
        }));
    }

    /// <summary>An ordered consumer from the stream's beginning, or from what comes next.</summary>
    public ValueTask<INatsJSConsumer> ConsumeInOrderAsync(bool fromStart, CancellationToken cancellationToken) =>
        Context.CreateOrderedConsumerAsync(
            Name,
            new NatsJSOrderedConsumerOpts
            {
                FilterSubjects = [Subject],
                DeliverPolicy = fromStart ? ConsumerConfigDeliverPolicy.All : ConsumerConfigDeliverPolicy.New,
            },
            cancellationToken);

    /// <summary>Reads so many messages with an ordered pull consumer that fetches 1,000 at a time; tells messages a second.</summary>
    public async Task<double> CatchUpPerSecondAsync(int count, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var consumer = await ConsumeInOrderAsync(fromStart: true, cancellationToken);
        var read = 0;
        await foreach (var message in consumer.ConsumeAsync<NatsMemoryOwner<byte>>(opts: new NatsJSConsumeOpts { MaxMsgs = 1000 }, cancellationToken: cancellationToken))
        {
            message.Data.Dispose();
            if (++read == count) break;
        }
        return count / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    public async ValueTask DisposeAsync()
    {
        await Context.DeleteStreamAsync(Name);
        await connection.DisposeAsync();
    }
}
