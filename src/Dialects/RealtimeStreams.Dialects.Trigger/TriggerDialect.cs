using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using RealtimeStreams.Dialects.Trigger.Browsers;
using RealtimeStreams.Dialects.Trigger.Inputs;
using RealtimeStreams.Dialects.Trigger.Reading;
using RealtimeStreams.Dialects.Trigger.Requests;
using RealtimeStreams.Dialects.Trigger.Runs;
using RealtimeStreams.Dialects.Trigger.Tokens;
using RealtimeStreams.Dialects.Trigger.Writing;
using RealtimeStreams.Http;

namespace RealtimeStreams.Dialects.Trigger;

/// <summary>The Trigger dialect: what the published clients of Trigger.dev call.</summary>
public static class TriggerDialect
{
    private const string Run = $"/realtime/v1/streams/{{{Gate.RunParameter}}}";
    private const string Output = $"{Run}/{{{Gate.KeyParameter}}}";
    private const string Input = $"{Run}/input/{{{Gate.InputParameter}}}";
    private const string Target = $"{Run}/{{{Gate.TargetParameter}:regex(^(self|parent|root)$)}}/{{{Gate.KeyParameter}}}";

    /// <summary>Adds what the dialect's endpoints need beside the modules.</summary>
    public static IHostApplicationBuilder AddTriggerDialect(this IHostApplicationBuilder builder)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.AddRequestLimits();
        builder.Services.AddSingleton<ReadStream>();
        builder.Services.AddSingleton<SubscribeRun>();
        builder.Services.AddSingleton<IValidateOptions<TriggerDialectOptions>, TriggerDialectOptionsValidator>();
        builder.Services.AddOptions<TriggerDialectOptions>().BindConfiguration(TriggerDialectOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<S2Access>();
        builder.Services.AddPageAccess();
        return builder;
    }

    /// <summary>Maps the routes.</summary>
    public static IEndpointRouteBuilder MapTrigger(this IEndpointRouteBuilder endpoints)
    {
        var pages = endpoints.MapGroup("").ExcludeFromDescription().RequireCors(PageAccess.Policy);
        pages.MapGet(Output, ReadStream.HandleAsync).Require(Demand.ReadRun);
        pages.MapGet(Input, ReadStream.HandleAsync).Require(Demand.ReadRun);
        pages.MapPost(Input, SendInput.HandleAsync).Require(Demand.WriteInput);
        pages.MapGet($"/realtime/v1/runs/{{{Gate.RunParameter}}}", SubscribeRun.HandleAsync).Require(Demand.ReadRun);
        pages.MapPost($"/api/v1/tasks/{{{Gate.TaskParameter}}}/trigger", TriggerTask.HandleAsync).Require(Demand.TriggerTask);
        pages.MapGet($"/api/v3/runs/{{{Gate.RunParameter}}}", RetrieveRun.HandleAsync).Require(Demand.ReadRun);

        // Takes tokens too, but not from pages, as in the reference.
        endpoints.MapGroup("").ExcludeFromDescription().WithMetadata(PageAccess.None).Require(Demand.CancelRun)
            .MapPost($"/api/v2/runs/{{{Gate.RunParameter}}}/cancel", CancelRun.HandleAsync);

        var backends = endpoints.MapGroup("").ExcludeFromDescription().WithMetadata(PageAccess.None).Require(Demand.SecretKey);
        backends.MapPut(Target, OpenStream.HandleAsync);
        backends.MapPost(Target, IngestChunks.HandleAsync);
        backends.MapMethods(Target, [HttpMethods.Head], TellLastChunk.HandleAsync);
        backends.MapPost(Target + "/append", AppendChunk.HandleAsync);
        backends.MapPost("/api/v1/auth/jwt/claims", TellClaims.Handle);
        return endpoints;
    }
}
