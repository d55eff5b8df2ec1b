using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using RealtimeStreams.Dialects.S2.Appending;
using RealtimeStreams.Dialects.S2.Basins;
using RealtimeStreams.Dialects.S2.Reading;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Streams;
using RealtimeStreams.Dialects.S2.Tokens;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Http;

namespace RealtimeStreams.Dialects.S2;

/// <summary>The S2 dialect, <c>/v1</c>: what the published clients of S2 call. Sessions need HTTP/2; the rest goes over either version.</summary>
public static class S2Dialect
{
    private const string Stream = $"/streams/{{{Gate.StreamParameter}}}";

    /// <summary>Adds what the dialect's endpoints need beside the modules.</summary>
    public static IHostApplicationBuilder AddS2Dialect(this IHostApplicationBuilder builder)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.AddRequestLimits();
        builder.Services.AddSingleton<StreamDirectory>();
        builder.Services.AddSingleton<RunStreams>();
        builder.Services.AddSingleton<AppendSessions>();
        builder.Services.AddSingleton<ReadRecords>();
        return builder;
    }

    /// <summary>Maps the routes.</summary>
    public static IEndpointRouteBuilder MapS2(this IEndpointRouteBuilder endpoints)
    {
        var tokens = endpoints.MapGroup("/v1").ExcludeFromDescription();
        tokens.MapPost(Stream + "/records", AppendRecords.HandleAsync).RequireCredential(Operation.Append);
        tokens.MapGet(Stream + "/records", ReadRecords.HandleAsync).RequireCredential(Operation.Read);
        tokens.MapGet(Stream + "/records/tail", TellTail.HandleAsync).RequireCredential(Operation.CheckTail);
        tokens.MapPut(Stream, EnsureStream.HandleAsync).RequireCredential(Operation.CreateStream);

        var all = endpoints.MapGroup("/v1").ExcludeFromDescription().RequireCredential();
        all.MapGet("/streams", ListStreams.HandleAsync);
        all.MapPost("/streams", CreateStream.HandleAsync);
        all.MapGet(Stream, ReconfigureStream.TellAsync);
        all.MapPatch(Stream, ReconfigureStream.HandleAsync);
        all.MapDelete(Stream, DeleteStream.HandleAsync);

        all.MapGet("/basins", OwnBasin.List);
        all.MapGet($"/basins/{{{OwnBasin.BasinParameter}}}", OwnBasin.Tell);
        all.MapPut($"/basins/{{{OwnBasin.BasinParameter}}}", OwnBasin.EnsureAsync);
        all.MapPost("/access-tokens", IssueToken.HandleAsync);
        foreach (var missing in (string[])["/basins/{**rest}", "/access-tokens/{**rest}", "/metrics/{**rest}", "/locations/{**rest}"])
            all.Map(missing, () => Answers.Error(S2Error.NotImplemented("This server does not have this part of S2's account interface.")));
        all.Map("/{**rest}", (HttpContext context) => Answers.Error(S2Error.NotFound(
            context.Request.Path.Value!.Contains("//", StringComparison.Ordinal)
                ? "There is nothing at this address: it has two slashes in a row, as an endpoint makes it that is set with a slash at its end."
                : "There is nothing at this address, or not for this method.")));
        return endpoints;
    }
}
