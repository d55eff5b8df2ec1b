using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using RealtimeStreams.Dialects.Native.Administration;
using RealtimeStreams.Dialects.Native.Reading;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Dialects.Native.Runs;
using RealtimeStreams.Dialects.Native.Streams;
using RealtimeStreams.Dialects.Native.Tokens;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Native;

/// <summary>The native dialect: <c>/api/v1</c>.</summary>
public static class NativeDialect
{
    private const string Stream = $"/{{{Gate.RunParameter}}}/streams/{{{Gate.KeyParameter}}}";
    private const string Input = $"/{{{Gate.RunParameter}}}/inputs/{{{Gate.InputParameter}}}";

    /// <summary>Adds what the dialect's endpoints need beside the modules, and the description of them.</summary>
    public static IHostApplicationBuilder AddNativeDialect(this IHostApplicationBuilder builder)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.AddRequestLimits();
        builder.Services.AddSingleton<StreamTexts>();
        builder.Services.AddSingleton<GuardedWaits>();
        builder.Services.AddSingleton<ReadChunks>();
        builder.Services.AddSingleton<Runs.ClaimRun>();
        builder.Services.AddSingleton<StopTexts>();
        builder.Services.AddSingleton<TellStop>();
        builder.Services.AddSingleton<IValidateOptions<NativeDialectOptions>, NativeDialectOptionsValidator>();
        builder.Services.AddSingleton<IValidateOptions<NativeDialectOptions>, OperatorKeyIsNoSecretKey>();
        builder.Services.AddOptions<NativeDialectOptions>().BindConfiguration(NativeDialectOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<AdminTelemetry>();
        builder.Services.AddNativeDescription();
        return builder;
    }

    /// <summary>Maps the routes, and the OpenAPI document at <c>/openapi/v1.json</c>.</summary>
    public static IEndpointRouteBuilder MapNative(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapOpenApi("/openapi/{documentName}.json");
        var runs = endpoints.MapGroup("/api/v1/runs").RequireAccess().WithTags("runs");
        runs.MapPost("", Runs.RegisterRun.HandleAsync).Describe("registerRun", "Register a run; 422 when its environment has as many open runs as it may (maxOpenRuns)", 400, 409, 422)
            .Accepts<Protocol.RegisterRun>("application/json").Produces<RunInfo>().Produces<RunInfo>(StatusCodes.Status201Created);
        runs.MapGet("", ListRuns.HandleAsync).Describe("listRuns", "List runs, newest first", 400).Produces<RunPage>();
        runs.MapGet("/{runId}", InspectRun.HandleAsync).Describe("inspectRun", "Inspect a run and its streams", 400, 404).Produces<RunInfo>();
        runs.MapPost("/{runId}/complete", Runs.CompleteRun.HandleAsync)
            .Describe("completeRun", "End a run and its open streams", 400, 404, 409)
            .Accepts<Protocol.CompleteRun>("application/json").Produces<RunInfo>();
        // No run's id stands in its way: nothing else is posted to a run itself.
        runs.MapPost("/claim", Runs.ClaimRun.HandleAsync)
            .Describe("claimRun", "Claim the triggered run of some tasks that has waited longest, or wait for one; 204 when none comes", 400)
            .Accepts<Protocol.ClaimRun>("application/json").Produces<RunInfo>().Produces(StatusCodes.Status204NoContent);
        runs.MapPost("/{runId}/renew", Runs.RenewClaim.HandleAsync)
            .Describe("renewClaim", "Prolong a claim, or give the run back", 400, 404, 409)
            .Accepts<Protocol.RenewClaim>("application/json").Produces<RunInfo>();
        runs.MapPost("/{runId}/stop", Runs.StopRun.HandleAsync)
            .Describe("stopRun", "Ask a run to stop; one that waits for its first worker is cancelled at once", 400, 404)
            .Accepts<Protocol.StopRun>("application/json").Produces<StopReceipt>();
        runs.MapGet("/{runId}/stop", TellStop.HandleAsync)
            .Describe("tellStop", "Tell the receipt of a request to stop, or wait for it; 204 when nobody has asked", 400, 404)
            .Produces<StopReceipt>().Produces(StatusCodes.Status204NoContent);
        runs.MapPost("/{runId}/stop/seen", Runs.SeeStop.HandleAsync)
            .Describe("seeStop", "Note that the run's worker has seen that it shall stop", 400, 404, 409)
            .Accepts<Protocol.SeeStop>("application/json").Produces<StopReceipt>();
        runs.MapDelete("/{runId}", EraseRun.HandleAsync)
            .Describe("eraseRun", "Erase a run and all its streams; 202 while servers may still hold something of it", 400, 404)
            .Produces<ErasureReceipt>().Produces<ErasureReceipt>(StatusCodes.Status202Accepted);
        endpoints.MapGroup("/api/v1/erasures").RequireAccess().WithTags("runs").MapGet($"/{{{TellErasure.IdParameter}}}", TellErasure.HandleAsync)
            .Describe("tellErasure", "Tell the receipt of an erasure, or wait until it is done", 400, 404)
            .Produces<ErasureReceipt>().Produces<ErasureReceipt>(StatusCodes.Status202Accepted);

        var streams = endpoints.MapGroup("/api/v1/runs").RequireAccess().WithTags("streams");
        streams.MapGet("/{runId}/streams", ListStreams.HandleAsync).Describe("listStreams", "List a run's streams", 400, 404).Produces<StreamList>();
        streams.MapPost(Stream, AppendChunks.HandleAsync)
            .Describe("appendChunks", "Append chunks: a JSON value, an array, text, or open-ended NDJSON", 400, 404, 409, 410, 413, 415, 422, 429, 507)
            .Produces<AppendReceipt>();
        streams.MapPost(Stream + "/close", Streams.CloseStream.HandleAsync)
            .Describe("closeStream", "End a stream, with a final chunk in the same step if one is given", 400, 404, 409, 413)
            .Accepts<Protocol.CloseStream>("application/json").Produces<CloseReceipt>();
        streams.MapGet(Stream, ReadChunks.HandleAsync)
            .Describe("readChunks", "Read a stream: server-sent events, NDJSON, or one JSON page, by Accept", 400, 404, 406)
            .Produces<string>(StatusCodes.Status200OK, "text/event-stream", "application/x-ndjson", "application/json");
        streams.MapMethods(Stream, [HttpMethods.Head], TellTail.HandleAsync)
            .Describe("tellTail", "Tell how far a stream goes, and how far a producer got", 400, 404);

        var inputs = endpoints.MapGroup("/api/v1/runs").RequireAccess().WithTags("inputs");
        inputs.MapPost(Input, AppendChunks.HandleAsync)
            .Describe("sendInput", "Send to a run: a JSON value, an array, text, or open-ended NDJSON, as to a stream", 400, 404, 409, 410, 413, 415, 422, 429, 507)
            .Produces<AppendReceipt>();
        inputs.MapGet(Input, ReadChunks.HandleAsync)
            .Describe("readInput", "Read what was sent to a run, like a stream", 400, 404, 406)
            .Produces<string>(StatusCodes.Status200OK, "text/event-stream", "application/x-ndjson", "application/json");
        inputs.MapMethods(Input, [HttpMethods.Head], TellTail.HandleAsync)
            .Describe("tellInput", "Tell how far an input goes, and how far a producer got", 400, 404);

        var tokens = endpoints.MapGroup("/api/v1/tokens").RequireAccess().WithTags("tokens");
        tokens.MapPost("", Tokens.IssueToken.HandleAsync)
            .Describe("issueToken", "Issue a public access token", 400)
            .Accepts<Protocol.IssueToken>("application/json").Produces<TokenInfo>(StatusCodes.Status201Created);
        tokens.MapDelete($"/{{{Tokens.RevokeToken.IdParameter}}}", Tokens.RevokeToken.HandleAsync)
            .Describe("revokeToken", "Revoke a token that was issued here, on all servers within a second", 404, 422)
            .Produces(StatusCodes.Status204NoContent);
        tokens.MapPost("/revoke-all", RevokeAllTokens.HandleAsync)
            .Describe("revokeAllTokens", "Revoke all tokens of the environment that were made until now")
            .Produces<RevokedTokens>();

        if (endpoints.ServiceProvider.GetRequiredService<IOptions<NativeDialectOptions>>().Value.OperatorKey is { } operatorKey) endpoints.MapAdmin(operatorKey);
        return endpoints;
    }
}
