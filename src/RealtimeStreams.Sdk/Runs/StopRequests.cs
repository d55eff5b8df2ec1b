using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Http;

namespace RealtimeStreams.Sdk.Runs;

/// <summary>What is sent about stopping runs.</summary>
internal sealed class StopRequests(Transport transport)
{
    public TimeProvider Time => transport.Time;

    public Task<StopReceipt> AskAsync(string runId, string? reason, CancellationToken cancellationToken)
    {
        var path = PathOf(runId);
        var body = new StopRun(reason);
        return transport.SendAsync(
            "stop",
            () => transport.NewRequest(HttpMethod.Post, path, JsonContent.Create(body, NativeJson.Default.StopRun)),
            NativeJson.Default.StopReceipt,
            cancellationToken);
    }

    public Task<StopReceipt> SeeAsync(string runId, string worker, int? attempt, CancellationToken cancellationToken)
    {
        var path = $"{PathOf(runId)}/seen";
        var body = new SeeStop(worker, attempt);
        return transport.SendAsync(
            "see_stop",
            () => transport.NewRequest(HttpMethod.Post, path, JsonContent.Create(body, NativeJson.Default.SeeStop)),
            NativeJson.Default.StopReceipt,
            cancellationToken);
    }

    /// <summary>The receipt as it is when the state is reached or the time is over; null while nobody has asked.</summary>
    public async Task<StopReceipt?> TryWaitAsync(string runId, StopState state, TimeSpan wait, CancellationToken cancellationToken)
    {
        var word = state switch { StopState.Seen => "seen", StopState.Stopped => "stopped", _ => "requested" };
        var path = string.Create(CultureInfo.InvariantCulture, $"{PathOf(runId)}?state={word}&waitInSeconds={(int)wait.TotalSeconds}");
        var told = await transport.SendAsync("wait_stop", NewRequest, ReadAsync, cancellationToken).ConfigureAwait(false);
        return told.Receipt;

        HttpRequestMessage NewRequest()
        {
            var request = transport.NewRequest(HttpMethod.Get, path);
            Transport.AllowWait(request, wait);
            return request;
        }
    }

    public Task RestAsync(TimeSpan time, CancellationToken cancellationToken) => Task.Delay(time, transport.Time, cancellationToken);

    public void LogNotSeen(string runId, Exception failure) => transport.Logger.LogStopNotSeen(runId, failure);

    public void LogNotTold(string runId, Exception failure) => transport.Logger.LogStopNotTold(runId, failure);

    public void LogNotWatched(string runId, Exception failure) => transport.Logger.LogStopNotWatched(runId, failure);

    private static string PathOf(string runId) => $"{Paths.Run(RunId.Parse(runId))}/stop";

    private static async ValueTask<Told?> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode == HttpStatusCode.NoContent) return new Told(null);
        return await Transport.ReadJsonAsync(response, NativeJson.Default.StopReceipt, cancellationToken).ConfigureAwait(false) is { } receipt ? new Told(receipt) : null;
    }

    /// <summary>An answer that there is, whether or not there is a receipt in it.</summary>
    private sealed record Told(StopReceipt? Receipt);
}
