using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Http;
using RealtimeStreams.Sdk.Workers;
using RealtimeStreams.Sdk.Writing;

namespace RealtimeStreams.Sdk.Runs;

/// <summary>Runs that wait for workers.</summary>
internal sealed partial class RunOperations
{
    /// <summary>A renewal whose connection has died without a word is tried again on another within its lease; but a slow server is given so many seconds.</summary>
    private const double LeastTry = 2;

    private readonly string worker = $"{Environment.MachineName}-{RandomIds.New()}";

    public Task<RunInfo> TriggerAsync<TPayload>(string taskId, TPayload payload, TriggerOptions? options, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(taskId);
        options ??= new TriggerOptions();
        var given = TaskJson.Write(payload, json.Get<TPayload>($"The task '{taskId}' is given"));
        return RegisterAsync(
            new RegisterRun(
                options.RunId, taskId, options.ParentRunId ?? FindParent(), options.RootRunId, options.Tags, options.StreamsVersion,
                Triggered: true, given, options.IdempotencyKey, options.Retention is { } kept ? ToSeconds(kept, 60, int.MaxValue) : null),
            cancellationToken);
    }

    public async Task<RunInfo?> ClaimAsync(IReadOnlyList<string> taskIds, ClaimOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskIds);
        options ??= new ClaimOptions();
        var wait = ToSeconds(options.Wait, 0, 30);
        var body = new ClaimRun(taskIds, options.Worker ?? worker, ToSeconds(options.Lease, 1, 3600), wait);
        var claimed = await transport.SendAsync("claim", NewRequest, ReadClaimAsync, cancellationToken).ConfigureAwait(false);
        return claimed.Run;

        HttpRequestMessage NewRequest()
        {
            var request = transport.NewRequest(HttpMethod.Post, Paths.Claim, JsonContent.Create(body, NativeJson.Default.ClaimRun));
            Transport.AllowWait(request, TimeSpan.FromSeconds(wait));
            return request;
        }
    }

    public Task<RunInfo> RenewAsync(RunInfo claimed, TimeSpan lease, CancellationToken cancellationToken) =>
        RenewAsync(claimed, ToSeconds(lease, 1, 3600), cancellationToken);

    public Task<RunInfo> ReleaseAsync(RunInfo claimed, CancellationToken cancellationToken) => RenewAsync(claimed, 0, cancellationToken);

    private Task<RunInfo> RenewAsync(RunInfo claimed, int seconds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(claimed);
        var path = $"{Paths.Run(RunId.Parse(claimed.Id))}/renew";
        var body = new RenewClaim(claimed.Worker, claimed.Attempt, seconds);
        return transport.SendAsync(seconds == 0 ? "release" : "renew", NewRequest, NativeJson.Default.RunInfo, cancellationToken);

        HttpRequestMessage NewRequest()
        {
            var request = transport.NewRequest(HttpMethod.Post, path, JsonContent.Create(body, NativeJson.Default.RenewClaim));
            if (seconds > 0) Transport.LimitTry(request, TimeSpan.FromSeconds(Math.Max(seconds / 3.0, LeastTry)));
            return request;
        }
    }

    private static async ValueTask<Claim?> ReadClaimAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode == HttpStatusCode.NoContent) return new Claim(null);
        return await Transport.ReadJsonAsync(response, NativeJson.Default.RunInfo, cancellationToken).ConfigureAwait(false) is { } run ? new Claim(run) : null;
    }

    /// <summary>The server counts in whole seconds; a part of one counts as one, so that nothing ends too early.</summary>
    private static int ToSeconds(TimeSpan time, int least, int most)
    {
        var seconds = Math.Ceiling(time.TotalSeconds);
        return seconds >= least && seconds <= most
            ? (int)seconds
            : throw new ArgumentOutOfRangeException(nameof(time), time, string.Create(CultureInfo.InvariantCulture, $"It must lie between {least} and {most} seconds."));
    }

    /// <summary>An answer that there is, whether or not there is a run in it.</summary>
    private sealed record Claim(RunInfo? Run);
}
