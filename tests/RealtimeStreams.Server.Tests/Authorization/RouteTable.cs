namespace RealtimeStreams.Server.Tests.Authorization;

/// <summary>A route with what each kind of credential gets at it.</summary>
/// <param name="Route">Methods and pattern, as the server has them.</param>
/// <param name="Target">A request to it.</param>
/// <param name="Body">Its body.</param>
/// <param name="Scope">A scope that opens it; empty: no token does.</param>
/// <param name="Expected">The status for each kind of credential, in the order of <see cref="RouteTable.Kinds"/>.</param>
internal sealed record RouteRow(string Route, string Target, string? Body, string Scope, string Expected)
{
    public int[] Statuses { get; } = [.. Expected.Split(' ').Select(int.Parse)];
}

/// <summary>Every route of the server with every kind of credential. What a route answers to whom is decided here first, and then there.</summary>
internal static class RouteTable
{
    /// <summary>The kinds of credentials; docs/authorization.md says what each is.</summary>
    public static readonly string[] Kinds =
        ["none", "garbage", "expired", "tampered", "other key", "other token", "wrong scope", "right token", "secret key", "operator key"];

    // Who is asked for nothing.
    private const string Open = "200 200 200 200 200 200 200 200 200 200";

    // The key of an environment, which acts in its own; no token.
    private const string KeyMakes = "401 401 401 401 201 403 403 403 201 401";
    private const string KeyReads = "401 401 401 401 200 403 403 403 200 401";

    // A run of an environment: somebody else's is not there.
    private const string RunOfKey = "401 401 401 401 404 403 403 403 200 401";
    private const string RunOfToken = "401 401 401 401 404 404 403 200 200 401";

    private const string Operator = "401 401 401 401 401 401 401 401 401 200";
    private const string OperatorMakes = "401 401 401 401 401 401 401 401 401 201";

    public static readonly (string Part, RouteRow[] Rows)[] Parts =
    [
        ("Open to all", [
            new("ANY /health", "/health", null, "", Open),
            new("ANY /alive", "/alive", null, "", Open),
            new("GET /openapi/{documentName}.json", "/openapi/v1.json", null, "", Open),
        ]),
        ("The native API", [
            new("POST /api/v1/runs", "/api/v1/runs", "{}", "", KeyMakes),
            new("GET /api/v1/runs", "/api/v1/runs", null, "", KeyReads),
            new("GET /api/v1/runs/{runId}", "/api/v1/runs/{run}", null, "read:runs:{run}", RunOfToken),
            new("POST /api/v1/runs/{runId}/complete", "/api/v1/runs/{run}/complete", """{"outcome":"cancelled"}""", "cancel:runs:{run}", RunOfToken),
            new("POST /api/v1/runs/claim", "/api/v1/runs/claim", """{"tasks":["nobodys"],"worker":"w"}""", "", "401 401 401 401 204 403 403 403 204 401"),
            new("POST /api/v1/runs/{runId}/renew", "/api/v1/runs/{run}/renew", """{"worker":"w","attempt":1}""", "", "401 401 401 401 404 403 403 403 409 401"),
            new("POST /api/v1/runs/{runId}/stop", "/api/v1/runs/{run}/stop", "{}", "cancel:runs:{run}", RunOfToken),
            new("GET /api/v1/runs/{runId}/stop", "/api/v1/runs/{run}/stop", null, "read:runs:{run}", RunOfToken),
            new("POST /api/v1/runs/{runId}/stop/seen", "/api/v1/runs/{run}/stop/seen", """{"worker":"w"}""", "write:runs:{run}", RunOfToken),
            new("DELETE /api/v1/runs/{runId}", "/api/v1/runs/{run}", null, "", RunOfKey),
            new("GET /api/v1/erasures/{erasureId}", "/api/v1/erasures/erasure_of_nothing", null, "", "401 401 401 401 404 403 403 403 404 401"),
            new("GET /api/v1/runs/{runId}/streams", "/api/v1/runs/{run}/streams", null, "read:runs:{run}", RunOfToken),
            new("POST /api/v1/runs/{runId}/streams/{key}", "/api/v1/runs/{run}/streams/s", "1", "append:streams:{run}/s", RunOfToken),
            new("POST /api/v1/runs/{runId}/streams/{key}/close", "/api/v1/runs/{run}/streams/s/close", null, "write:streams:{run}/s", RunOfToken),
            new("GET /api/v1/runs/{runId}/streams/{key}", "/api/v1/runs/{run}/streams/s", null, "read:streams:{run}/s", RunOfToken),
            new("HEAD /api/v1/runs/{runId}/streams/{key}", "/api/v1/runs/{run}/streams/s", null, "read:streams:{run}/s", RunOfToken),
            new("POST /api/v1/runs/{runId}/inputs/{input}", "/api/v1/runs/{run}/inputs/in", "1", "input:runs:{run}", RunOfToken),
            new("GET /api/v1/runs/{runId}/inputs/{input}", "/api/v1/runs/{run}/inputs/in", null, "read:runs:{run}", RunOfToken),
            new("HEAD /api/v1/runs/{runId}/inputs/{input}", "/api/v1/runs/{run}/inputs/in", null, "read:runs:{run}", RunOfToken),
            new("POST /api/v1/tokens", "/api/v1/tokens", """{"scopes":["read:runs"]}""", "", KeyMakes),
            new("DELETE /api/v1/tokens/{tokenId}", "/api/v1/tokens/tok_1_00112233445566778899aabbccddeeff", null, "", "401 401 401 401 204 403 403 403 204 401"),
            new("POST /api/v1/tokens/revoke-all", "/api/v1/tokens/revoke-all", null, "", KeyReads),
        ]),
        ("Administration", [
            new("GET /api/v1/admin/environments", "/api/v1/admin/environments", null, "", Operator),
            new("POST /api/v1/admin/environments", "/api/v1/admin/environments", """{"id":"made-{new}"}""", "", OperatorMakes),
            new("GET /api/v1/admin/environments/{environmentId}", "/api/v1/admin/environments/{environment}", null, "", Operator),
            new("PATCH /api/v1/admin/environments/{environmentId}", "/api/v1/admin/environments/{environment}", "{}", "", Operator),
            new("GET /api/v1/admin/environments/{environmentId}/keys", "/api/v1/admin/environments/{environment}/keys", null, "", Operator),
            new("POST /api/v1/admin/environments/{environmentId}/keys", "/api/v1/admin/environments/{environment}/keys", null, "", OperatorMakes),
            new("POST /api/v1/admin/environments/{environmentId}/keys/{keyId}/rotate", "/api/v1/admin/environments/{environment}/keys/{key}/rotate", null, "", OperatorMakes),
            new("DELETE /api/v1/admin/environments/{environmentId}/keys/{keyId}", "/api/v1/admin/environments/{environment}/keys/{key}", null, "", Operator),
        ]),
        ("Trigger's routes", [
            new("GET /realtime/v1/streams/{runId}/{key}", "/realtime/v1/streams/{run}/s", null, "read:runs:{run}", RunOfToken),
            new("GET /realtime/v1/streams/{runId}/input/{input}", "/realtime/v1/streams/{run}/input/in", null, "read:runs:{run}", RunOfToken),
            new("POST /realtime/v1/streams/{runId}/input/{input}", "/realtime/v1/streams/{run}/input/in", """{"data":1}""", "write:inputStreams:{run}", RunOfToken),
            new("GET /realtime/v1/runs/{runId}", "/realtime/v1/runs/{run}", null, "read:runs:{run}", RunOfToken),
            new("POST /api/v1/tasks/{taskId}/trigger", "/api/v1/tasks/report/trigger", "{}", "trigger:tasks:report", "401 401 401 401 200 200 403 200 200 401"),
            new("GET /api/v3/runs/{runId}", "/api/v3/runs/{run}", null, "read:runs:{run}", RunOfToken),
            new("POST /api/v2/runs/{runId}/cancel", "/api/v2/runs/{run}/cancel", null, "write:runs:{run}", RunOfToken),
            new("PUT /realtime/v1/streams/{runId}/{target:regex(^(self|parent|root)$)}/{key}", "/realtime/v1/streams/{run}/self/s", null, "", "401 401 401 401 404 401 401 401 202 401"),
            new("POST /realtime/v1/streams/{runId}/{target:regex(^(self|parent|root)$)}/{key}", "/realtime/v1/streams/{run}/self/s", "1\n", "", "401 401 401 401 404 401 401 401 200 401"),
            new("HEAD /realtime/v1/streams/{runId}/{target:regex(^(self|parent|root)$)}/{key}", "/realtime/v1/streams/{run}/self/s", null, "", "401 401 401 401 404 401 401 401 200 401"),
            new("POST /realtime/v1/streams/{runId}/{target:regex(^(self|parent|root)$)}/{key}/append", "/realtime/v1/streams/{run}/self/s/append", "1", "", "401 401 401 401 404 401 401 401 200 401"),
            new("POST /api/v1/auth/jwt/claims", "/api/v1/auth/jwt/claims", "{}", "", "401 401 401 401 200 401 401 401 200 401"),
        ]),
        ("S2's routes", [
            new("POST /v1/streams/{stream}/records", "/v1/streams/runs%2F{run}%2Fs/records", """{"records":[{"body":"x"}]}""", "append:s2-exact:runs/{run}/s", RunOfToken),
            new("GET /v1/streams/{stream}/records", "/v1/streams/runs%2F{run}%2Fs/records?seq_num=0", null, "read:s2-exact:runs/{run}/s", RunOfToken),
            new("GET /v1/streams/{stream}/records/tail", "/v1/streams/runs%2F{run}%2Fs/records/tail", null, "check-tail:s2-exact:runs/{run}/s", RunOfToken),
            new("PUT /v1/streams/{stream}", "/v1/streams/named-{new}", "{}", "create-stream:s2-prefix:named-", "401 401 401 401 201 201 403 201 201 401"),
            new("GET /v1/streams", "/v1/streams", null, "", KeyReads),
            new("POST /v1/streams", "/v1/streams", """{"stream":"posted-{new}"}""", "", KeyMakes),
            new("GET /v1/streams/{stream}", "/v1/streams/{named}", null, "", RunOfKey),
            new("PATCH /v1/streams/{stream}", "/v1/streams/{named}", "{}", "", RunOfKey),
            new("DELETE /v1/streams/{stream}", "/v1/streams/{named}", null, "", "401 401 401 401 404 403 403 403 202 401"),
            new("GET /v1/basins", "/v1/basins", null, "", KeyReads),
            new("GET /v1/basins/{basin}", "/v1/basins/env-default-37a8eec1", null, "", RunOfKey),
            new("PUT /v1/basins/{basin}", "/v1/basins/env-default-37a8eec1", "{}", "", RunOfKey),
            new("POST /v1/access-tokens", "/v1/access-tokens", """{"id":"a","scope":{"basins":{"prefix":""},"ops":["append"],"streams":{"prefix":"x"}}}""", "", KeyMakes),
            new("ANY /v1/basins/{**rest}", "/v1/basins/a/b", null, "", "401 401 401 401 501 403 403 403 501 401"),
            new("ANY /v1/access-tokens/{**rest}", "/v1/access-tokens/a", null, "", "401 401 401 401 501 403 403 403 501 401"),
            new("ANY /v1/metrics/{**rest}", "/v1/metrics", null, "", "401 401 401 401 501 403 403 403 501 401"),
            new("ANY /v1/locations/{**rest}", "/v1/locations", null, "", "401 401 401 401 501 403 403 403 501 401"),
            new("ANY /v1/{**rest}", "/v1/nothing", null, "", "401 401 401 401 404 403 403 403 404 401"),
        ]),
    ];

    public static IEnumerable<RouteRow> Rows => Parts.SelectMany(part => part.Rows);
}
