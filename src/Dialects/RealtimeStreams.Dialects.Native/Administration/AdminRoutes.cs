using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Native.Administration;

/// <summary>The routes of the admin API. Mapped only where there is an operator key: without one they are like any address that does not exist.</summary>
internal static class AdminRoutes
{
    private const string Environment = $"/{{{OperatorGate.EnvironmentParameter}}}";
    private const string Key = $"{Environment}/keys/{{{OperatorGate.KeyParameter}}}";

    public static void MapAdmin(this IEndpointRouteBuilder endpoints, string operatorKey)
    {
        // Not for web pages, whichever may call the rest.
        var environments = endpoints.MapGroup("/api/v1/admin/environments")
            .RequireOperatorKey(operatorKey).WithTags("admin").WithMetadata(new DisableCorsAttribute());
        environments.MapGet("", ListEnvironments.HandleAsync).Describe("listEnvironments", "List environments. With the operator key, as all of admin").Produces<EnvironmentList>();
        environments.MapPost("", CreateEnvironment.HandleAsync)
            .Describe("createEnvironment", "Make an environment and its first secret key", 400, 409, 413, 415)
            .Accepts<Protocol.CreateEnvironment>("application/json").Produces<MadeSecretKey>(StatusCodes.Status201Created);
        environments.MapGet(Environment, InspectEnvironment.HandleAsync)
            .Describe("inspectEnvironment", "Tell an environment and what was set for it", 400, 404).Produces<EnvironmentInfo>();
        environments.MapPatch(Environment, ChangeSettings.HandleAsync)
            .Describe("changeSettings", "Set retention and limits of an environment: numbers by name, null for the server's own; what is not named stays", 400, 404, 413, 415)
            .Accepts<Dictionary<string, long?>>("application/json", "application/merge-patch+json").Produces<EnvironmentInfo>();
        environments.MapGet(Environment + "/keys", ListKeys.HandleAsync)
            .Describe("listKeys", "List an environment's secret keys, without the keys themselves", 400, 404).Produces<SecretKeyList>();
        environments.MapPost(Environment + "/keys", AddKey.HandleAsync)
            .Describe("addKey", "Make one more secret key", 400, 404, 422).Produces<MadeSecretKey>(StatusCodes.Status201Created);
        environments.MapPost(Key + "/rotate", RotateKey.HandleAsync)
            .Describe("rotateKey", "Make a secret key in the place of another, which stays valid for a while", 400, 404, 409, 413, 415, 422)
            .Accepts<RotateSecretKey>("application/json").Produces<MadeSecretKey>(StatusCodes.Status201Created);
        environments.MapDelete(Key, RevokeKey.HandleAsync)
            .Describe("revokeKey", "Take a secret key, and every token that it signed, out of use now", 400, 404, 409).Produces<SecretKeyInfo>();
    }
}
