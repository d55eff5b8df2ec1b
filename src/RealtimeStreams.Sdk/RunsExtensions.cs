using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>The methods about inputs by name, in place of a definition.</summary>
public static class RunsExtensions
{
    /// <summary>Sends to a run, by the input's name.</summary>
    /// <inheritdoc cref="IRuns.SendInputAsync" path="/typeparam|/returns|/exception" />
    /// <param name="runs">The client's runs.</param>
    /// <param name="runId">The run.</param>
    /// <param name="name">Which input.</param>
    /// <param name="value">What is sent.</param>
    /// <param name="idempotencyKey">1 to 128 bytes: sent again with the same key within ten minutes it is delivered once. Absent: made for this call.</param>
    /// <param name="cancellationToken">Gives up waiting. The value may be stored or not.</param>
    public static Task<AppendReceipt> SendInputAsync<T>(
        this IRuns runs, string runId, string name, T value, string? idempotencyKey = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(runs);
        return runs.SendInputAsync(runId, RealtimeStream.DefineInput<T>(name), value, idempotencyKey, cancellationToken);
    }
}
