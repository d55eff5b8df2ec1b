using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Ingest.Leasing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Ingest.Tests;

public sealed class OpenWritersTests : IDisposable
{
    private static readonly TimeSpan lease = TimeSpan.FromMinutes(10);

    private readonly FakeTimeProvider clock = new();
    private readonly RecordedLeases leases = new();
    private readonly OpenWriters writers;

    public OpenWritersTests() =>
        writers = new OpenWriters(leases, new IngestTelemetry(new IngestNode().Meters), clock, NullLogger<OpenWriters>.Instance);

    public void Dispose() => writers.Dispose();

    [Fact]
    public async Task A_connection_that_lasts_is_renewed_once_in_a_third_of_the_lease_and_no_more_when_it_is_gone()
    {
        var connection = writers.Enter(IngestNode.Stream);
        using (writers.Enter(IngestNode.Stream)) await PassAsync(1);
        await PassAsync(199);
        Assert.Equal(1, leases.Calls);

        await PassAsync(1);
        Assert.Equal(2, leases.Calls);
        connection.Dispose();
        connection.Dispose(); // Counts once.
        await PassAsync(1000);

        Assert.Equal(2, leases.Calls);
    }

    [Fact]
    public async Task A_connection_of_less_than_a_second_is_told_to_nobody()
    {
        for (var i = 0; i < 10; i++)
        {
            writers.Enter(IngestNode.Stream).Dispose();
            await PassAsync(1);
        }

        Assert.Equal(0, leases.Calls);
    }

    [Fact]
    public async Task Connections_that_come_and_go_renew_no_more_often()
    {
        for (var i = 0; i < 50; i++)
        {
            using (writers.Enter(IngestNode.Stream)) await PassAsync(3);
            await PassAsync(1);
        }

        Assert.Equal(1, leases.Calls);
    }

    [Fact]
    public async Task What_the_registry_could_not_take_is_due_with_the_next_tick()
    {
        using var connection = writers.Enter(IngestNode.Stream);
        leases.Away = true;
        await PassAsync(3);
        leases.Away = false;
        await PassAsync(1);

        Assert.Equal(1, leases.Calls);
    }

    [Fact]
    public async Task An_open_body_of_lines_is_a_writer_and_one_that_ended_is_none()
    {
        var node = new IngestNode();
        var pipe = new Pipe();
        var appending = node.AppendAsync(BodyKind.Lines, pipe.Reader);
        await pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes("1\n"), TestContext.Current.CancellationToken);
        await Until.TrueAsync(() => "The line was not stored.", () => node.Log.Batches.Count == 1);
        Assert.Equal(1, node.Writers.Open);

        await pipe.Writer.CompleteAsync(new IOException("The connection was cut."));

        Assert.IsType<IngestOutcome.Interrupted>(await appending);
        Assert.Equal((0, IngestNode.Stream), (node.Writers.Open, Assert.Single(node.Writers.Entered)));
    }

    private async Task PassAsync(int seconds)
    {
        for (var i = 0; i < seconds; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await writers.RenewDueAsync(TestContext.Current.CancellationToken);
        }
    }

    private sealed class RecordedLeases : IWriterLeases
    {
        public bool Away { get; set; }

        public int Calls { get; private set; }

        public Task<IReadOnlyDictionary<StreamAddress, TimeSpan>> RenewAsync(
            IReadOnlyCollection<StreamAddress> streams, CancellationToken cancellationToken)
        {
            if (Away) throw new RegistryUnavailableException();
            Calls++;
            return Task.FromResult<IReadOnlyDictionary<StreamAddress, TimeSpan>>(streams.ToDictionary(stream => stream, _ => lease));
        }

        public Task<IReadOnlyList<ExpiredLease>> FindExpiredAsync(int most, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> ProlongAsync(ExpiredLease expired, DateTimeOffset until, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> DoubtAsync(ExpiredLease expired, DateTimeOffset until, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
