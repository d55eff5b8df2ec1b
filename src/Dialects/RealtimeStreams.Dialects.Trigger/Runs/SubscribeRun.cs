using System.Buffers;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using RealtimeStreams.Dialects.Trigger.Requests;
using RealtimeStreams.Dialects.Trigger.Tokens;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Runs;

/// <summary>
/// The run subscription, an Electric shape of one row: first the row, then requests that wait until it has changed. The offset that the client
/// brings back names the content that it has, so that nothing is kept between its requests and any server can answer them.
/// </summary>
internal sealed class SubscribeRun(
    IRunRegistry registry, IRunSignals signals, ICredentials credentials, RequestLimits limits, IHostApplicationLifetime lifetime, TimeProvider clock)
{
    private const string First = "-1";

    private static readonly TimeSpan LiveWait = TimeSpan.FromSeconds(20);

    // A signal can be lost, so the run is looked at now and then anyway.
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    private readonly ICredentials credentials = credentials;

    public static async Task<IResult> HandleAsync(HttpContext context, Caller caller, StreamPath path, SubscribeRun endpoint)
    {
        using var watch = endpoint.credentials.Watch(caller.Credential);
        try
        {
            return await endpoint.AnswerAsync(context, TokenNotes.Of(caller), path.Address, watch.Ended);
        }
        catch (OperationCanceledException) when (watch.End is not null)
        {
            return TriggerError.CredentialEnded;
        }
    }

    private async Task<IResult> AnswerAsync(HttpContext context, TokenNotes notes, StreamAddress address, CancellationToken credentialEnded)
    {
        var query = context.Request.Query;
        var offset = query["offset"].ToString() is { Length: > 0 } known ? known : First;
        var skipped = query["skipColumns"].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);
        skipped.UnionWith(notes.SkipColumns);
        var live = query["live"] == "true";
        if (live && limits.BecomeReader(context) is { } full) return TriggerError.From(full);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping, credentialEnded);
        using var signal = live ? signals.Watch(address.Environment, address.Run) : null; // Before the run is looked at, so that nothing falls between.
        if (await FindAsync(address, skipped, ending.Token) is not { } row) return NotFound(address.Run);
        if (query["handle"].ToString() is { Length: > 0 } handle && offset != First && handle != row.Handle)
        {
            // A later run of the same id.
            Prepare(context, row);
            return Answers.Json("""[{"headers":{"control":"must-refetch"}}]"""u8, StatusCodes.Status409Conflict);
        }
        if (live && row.Offset == offset)
        {
            if (await WaitAsync(signal!, address, offset, skipped, ending.Token) is not { } next) return NotFound(address.Run);
            row = next;
        }
        Prepare(context, row);
        if (live) context.Response.Headers["electric-cursor"] = clock.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        else context.Response.Headers["electric-schema"] = RunRow.Schema(skipped);
        context.Response.Headers["electric-up-to-date"] = "true"; // Nothing is to be fetched ahead.
        return Answers.Json(Messages(row, offset));
    }

    /// <summary>Waits until the row is another one than the client has, for as long as a request is held.</summary>
    /// <returns>The row as it is then; null when the run is gone.</returns>
    private async Task<RunRow?> WaitAsync(
        IRunSignal signal, StreamAddress address, string offset, HashSet<string> skipped, CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        while (true)
        {
            var left = LiveWait - clock.GetElapsedTime(began);
            if (left > TimeSpan.Zero) await signal.WaitAsync(left < LookInterval ? left : LookInterval, cancellationToken);
            if (await FindAsync(address, skipped, cancellationToken) is not { } row) return null;
            if (row.Offset != offset || left <= TimeSpan.Zero) return row;
        }
    }

    private async Task<RunRow?> FindAsync(StreamAddress address, HashSet<string> skipped, CancellationToken cancellationToken) =>
        await RunView.FindAsync(registry, address.Environment, address.Run, cancellationToken) is { } view ? RunRow.Of(view, skipped) : null;

    private static ReadOnlySpan<byte> Messages(RunRow row, string offset)
    {
        var body = new ArrayBufferWriter<byte>(1024);
        using (var json = RunRow.NewWriter(body))
        {
            json.WriteStartArray();
            if (row.Offset != offset) row.Write(json, offset == First ? "insert" : "update");
            json.WriteRawValue("""{"headers":{"control":"up-to-date"}}"""u8, skipInputValidation: true);
            json.WriteEndArray();
        }
        return body.WrittenSpan;
    }

    private static void Prepare(HttpContext context, RunRow row)
    {
        StopTelling.SetHeader(context, row.Run); // The row has no place for it, but changes: it has another updatedAt.
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers["electric-handle"] = row.Handle;
        headers["electric-offset"] = row.Offset;
    }

    private static TriggerError NotFound(RunId run) => TriggerError.From(ErrorCode.RunNotFound, $"There is no run {run}.");
}
