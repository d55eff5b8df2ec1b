using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Retention.Tests;

/// <summary>A registry whose repetitions fail. Nothing else of it is asked.</summary>
internal sealed class BrokenRegistry : IRunRegistry
{
    public Exception Failure { get; set; } = new RegistryUnavailableException();

    public Task<Repeated> RepeatAsync(RepeatCursor? after, int most, CancellationToken cancellationToken) =>
        Task.FromException<Repeated>(Failure);

    public Task<RegisterOutcome> RegisterAsync(
        EnvironmentId environment, RunRegistration registration, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Run?> FindAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<RunFamily?> FindFamilyAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<RunListOutcome> ListAsync(EnvironmentId environment, RunQuery query, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<CompleteOutcome> CompleteAsync(
        EnvironmentId environment, RunId run, RunEnd end, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<bool> EraseAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<StreamAdmission> AdmitAsync(StreamAddress stream, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<StreamRow>> ListOpenStreamsAsync(
        EnvironmentId environment, RunId run, StreamKey? after, int most, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<StreamRow?> FindStreamAsync(StreamAddress stream, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<StreamAdmission> AdmitAgainAsync(
        StreamAddress stream, StreamAdmission.Admitted before, TimeSpan? writerLease, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<StreamRow>> ListStreamsAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task MarkClosedAsync(StreamAddress stream, Outcome outcome, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}
