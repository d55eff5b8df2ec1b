using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest.Tests;

/// <summary>Admits every stream unless told otherwise.</summary>
internal sealed class OpenRegistry : IRunRegistry
{
    public StreamAdmission Admission { get; set; } = new StreamAdmission.Admitted(StreamsVersion.V2);

    public Run? Run { get; set; }

    public List<StreamRow> Rows { get; } = [];

    public List<(StreamKey Key, Outcome Outcome)> Marked { get; } = [];

    public bool Away { get; set; }

    public int Admissions { get; private set; }

    public ValueTask<StreamAdmission> AdmitAsync(StreamAddress stream, CancellationToken cancellationToken)
    {
        Admissions++;
        return ValueTask.FromResult(Admission);
    }

    /// <summary>Who asked again, with what they were told before.</summary>
    public List<StreamAdmission.Admitted> AskedAgain { get; } = [];

    public ValueTask<StreamAdmission> AdmitAgainAsync(
        StreamAddress stream, StreamAdmission.Admitted before, TimeSpan? writerLease, CancellationToken cancellationToken)
    {
        AskedAgain.Add(before);
        return Away ? throw new RegistryUnavailableException() : ValueTask.FromResult(Admission);
    }

    public Task<Run?> FindAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken) => Task.FromResult(Run);

    public Task<IReadOnlyList<StreamRow>> ListStreamsAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<StreamRow>> ListOpenStreamsAsync(
        EnvironmentId environment, RunId run, StreamKey? after, int most, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<StreamRow>>([.. Rows
            .Where(row => row.Outcome is null && string.CompareOrdinal(row.Key.Value, after?.Value) > 0)
            .OrderBy(row => row.Key.Value, StringComparer.Ordinal)
            .Take(most)]);

    public Task<StreamRow?> FindStreamAsync(StreamAddress stream, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task MarkClosedAsync(StreamAddress stream, Outcome outcome, CancellationToken cancellationToken)
    {
        if (Away) throw new RegistryUnavailableException();
        lock (Marked) Marked.Add((stream.Key, outcome));
        return Task.CompletedTask;
    }

    public Task<RegisterOutcome> RegisterAsync(EnvironmentId environment, RunRegistration registration, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<RunFamily?> FindFamilyAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<RunListOutcome> ListAsync(EnvironmentId environment, RunQuery query, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<CompleteOutcome> CompleteAsync(
        EnvironmentId environment, RunId run, RunEnd end, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<bool> EraseAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Repeated> RepeatAsync(RepeatCursor? after, int most, CancellationToken cancellationToken) => throw new NotSupportedException();
}
