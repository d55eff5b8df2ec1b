using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using RealtimeStreams.Dialects.Native.Administration;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Native;

/// <summary>The parameters and bodies that endpoints read by themselves, so that the framework cannot see them in their signatures.</summary>
internal static class NativeParameters
{
    private static readonly OpenApiParameter Run = Path(Gate.RunParameter, "The run's id, percent-encoded as one segment.");

    private static readonly OpenApiParameter RunOrTarget =
        Path(Gate.RunParameter, $"The run's id, percent-encoded as one segment; or self, parent or root, beside the header {NativeHeaders.Run}.");

    private static readonly OpenApiParameter Key = Path(Gate.KeyParameter, "The stream's key, percent-encoded as one segment.");

    private static readonly OpenApiParameter Input = Path(Gate.InputParameter, "The input's name, percent-encoded as one segment.");

    private static readonly OpenApiParameter Environment = Path(OperatorGate.EnvironmentParameter, "The environment's id, percent-encoded as one segment.");

    private static readonly OpenApiParameter SecretKey = Path(OperatorGate.KeyParameter, "The secret key's id; never the key itself.");

    private static readonly OpenApiParameter OwnRun = Header(NativeHeaders.Run, "The writer's own run, percent-encoded, when the path names a target.");

    private static readonly OpenApiParameter[] Producer =
    [
        Header(NativeHeaders.ProducerId, "Who writes, percent-encoded, 1 to 64 bytes. Goes with the sequence."),
        Header(NativeHeaders.ProducerEpoch, "The producer's incarnation, 0 to 4294967295; 0 when absent. A newer one fences the older.", JsonSchemaType.Integer),
        Header(NativeHeaders.ProducerSequence, "The producer's own number of the first chunk.", JsonSchemaType.Integer),
    ];

    private static readonly OpenApiParameter[] Appending =
    [
        OwnRun, .. Producer,
        Header(NativeHeaders.IdempotencyKey, "Recognises a retry for ten minutes, 1 to 128 bytes. Not for NDJSON."),
        Query("batch", "With application/json: the body is an array of at most 1,024 chunks, stored in one step.", JsonSchemaType.Boolean),
    ];

    private static readonly OpenApiParameter[] Reading =
    [
        OwnRun,
        Query("startIndex", "The index delivered first, 0 when absent; negative: so many from the end.", JsonSchemaType.Integer),
        Query("timeoutInSeconds", "Ends the read when no chunk came for so long, 1 to 86400. A page waits so long for its first chunk.", JsonSchemaType.Integer),
        Query("limit", "The most chunks of a page, 1 to 10000; 1000 when absent.", JsonSchemaType.Integer),
        Header("Last-Event-ID", "Goes on behind this index; wins over startIndex.", JsonSchemaType.Integer),
    ];

    private static readonly Dictionary<string, OpenApiParameter[]> ByOperation = new()
    {
        ["registerRun"] = [Header(NativeHeaders.StreamsVersion, "v1 or v2, when the body does not say; v2 when absent.")],
        ["listRuns"] = [],
        ["inspectRun"] = [Run],
        ["completeRun"] = [Run],
        ["renewClaim"] = [Run],
        ["stopRun"] = [Run],
        ["tellStop"] =
        [
            Run,
            Query("state", "What to wait for: requested, seen or stopped; requested when absent."),
            Query("waitInSeconds", "How long to wait for it, 0 to 30; 0 when absent.", JsonSchemaType.Integer),
        ],
        ["seeStop"] = [Run],
        ["eraseRun"] = [Run, Query("waitInSeconds", "How long to wait until all of it is gone, 0 to 30; 5 when absent.", JsonSchemaType.Integer)],
        ["tellErasure"] =
        [
            Path(Runs.TellErasure.IdParameter, "The receipt's id."),
            Query("waitInSeconds", "How long to wait until it is done, 0 to 30; 0 when absent.", JsonSchemaType.Integer),
        ],
        ["revokeToken"] = [Path(Tokens.RevokeToken.IdParameter, "The token's id, as it was told when it was issued.")],
        ["listStreams"] = [Run],
        ["appendChunks"] = [RunOrTarget, Key, .. Appending],
        ["sendInput"] = [RunOrTarget, Input, .. Appending],
        ["closeStream"] = [RunOrTarget, Key, OwnRun, .. Producer],
        ["readChunks"] = [RunOrTarget, Key, .. Reading],
        ["readInput"] = [RunOrTarget, Input, .. Reading],
        ["inspectEnvironment"] = [Environment],
        ["changeSettings"] = [Environment],
        ["listKeys"] = [Environment],
        ["addKey"] = [Environment],
        ["rotateKey"] = [Environment, SecretKey],
        ["revokeKey"] = [Environment, SecretKey],
        ["tellTail"] = [RunOrTarget, Key, OwnRun, Producer[0], Producer[1]],
        ["tellInput"] = [RunOrTarget, Input, OwnRun, Producer[0], Producer[1]],
    };

    public static Task AddAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        if (operation.OperationId is not { } id || !ByOperation.TryGetValue(id, out var parameters)) return Task.CompletedTask;
        operation.Parameters ??= [];
        foreach (var parameter in parameters)
        {
            if (operation.Parameters.FirstOrDefault(known => known.Name == parameter.Name) is { } known) operation.Parameters.Remove(known);
            operation.Parameters.Add(parameter);
        }
        if (id is "appendChunks" or "sendInput") operation.RequestBody = Chunks();
        if (id is "tellTail" or "tellInput") operation.Responses!["200"] = Tail();
        return Task.CompletedTask;
    }

    private static OpenApiRequestBody Chunks() => new()
    {
        Required = true,
        Description = "One JSON value, or text, is one chunk. NDJSON is open-ended: each line that is not blank is a chunk, stored as it comes.",
        Content = new Dictionary<string, OpenApiMediaType>
        {
            ["application/json"] = new() { Schema = new OpenApiSchema() },
            ["text/plain"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String } },
            ["application/x-ndjson"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String } },
        },
    };

    private static OpenApiResponse Tail()
    {
        var response = new OpenApiResponse { Description = "OK", Headers = new Dictionary<string, IOpenApiHeader>() };
        (string Name, string Description)[] headers =
        [
            (NativeHeaders.NextIndex, "The index that the next chunk will get."),
            (NativeHeaders.FirstIndex, "The first index that can still be read."),
            (NativeHeaders.State, "open or closed."),
            (NativeHeaders.Outcome, "How it ended, when it has."),
            (NativeHeaders.StopRequested, "When the run was asked to stop, when it was."),
            (NativeHeaders.ProducerEpoch, "The producer's newest epoch, when one was asked for."),
            (NativeHeaders.ProducerNextSequence, "The number that the producer's next chunk must have, when one was asked for."),
        ];
        foreach (var (name, description) in headers)
            response.Headers[name] = new OpenApiHeader { Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
        return response;
    }

    private static OpenApiParameter Path(string name, string description) => Parameter(ParameterLocation.Path, name, description, JsonSchemaType.String, required: true);

    private static OpenApiParameter Query(string name, string description, JsonSchemaType type = JsonSchemaType.String) =>
        Parameter(ParameterLocation.Query, name, description, type);

    private static OpenApiParameter Header(string name, string description, JsonSchemaType type = JsonSchemaType.String) =>
        Parameter(ParameterLocation.Header, name, description, type);

    private static OpenApiParameter Parameter(ParameterLocation place, string name, string description, JsonSchemaType type, bool required = false) =>
        new() { In = place, Name = name, Description = description, Required = required, Schema = new OpenApiSchema { Type = type } };
}
