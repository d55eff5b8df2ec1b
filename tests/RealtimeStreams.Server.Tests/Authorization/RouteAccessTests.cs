using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;

namespace RealtimeStreams.Server.Tests.Authorization;

/// <summary>Every route × every kind of credential, on the server's own program: a route that is not in the table fails, and so does one that answers otherwise.</summary>
[Collection(ServerInProcess.Name)]
public sealed class RouteAccessTests(ServerInProcess server)
{
    private const string DocumentVariable = "REALTIMESTREAMS_WRITE_DOCS";

    public static TheoryData<string> Routes => [.. RouteTable.Rows.Select(row => row.Route)];

    [Fact]
    public void Every_route_of_the_server_has_a_row_and_every_row_a_route()
    {
        var served = server.Endpoints.OfType<RouteEndpoint>().Select(NameOf);

        Assert.Equal(RouteTable.Rows.Select(row => row.Route).Order(StringComparer.Ordinal), served.Order(StringComparer.Ordinal));
        Assert.Equal(server.Endpoints.Count, server.Endpoints.OfType<RouteEndpoint>().Count()); // There is no other kind of endpoint.
    }

    [Theory, MemberData(nameof(Routes))]
    public async Task A_route_answers_each_kind_of_credential_as_the_table_says(string route)
    {
        var row = RouteTable.Rows.Single(one => one.Route == route);
        var method = route.Split(' ')[0] is var name && name == "ANY" ? "GET" : name;
        var statuses = new List<int>();
        foreach (var kind in RouteTable.Kinds)
        {
            var fill = await PrepareAsync(row);
            var (status, text) = await server.SendAsync(method, fill(row.Target), HeaderOf(kind, fill(row.Scope), fill("{run}")), row.Body is null ? null : fill(row.Body));
            statuses.Add(status);
            // Nobody is told what was refused, or who else there is.
            if (status is 401 or 403 or 404) Assert.DoesNotContain(server.Other.Key, text, StringComparison.Ordinal);
        }

        Assert.Equal(row.Expected, string.Join(' ', statuses));
    }

    [Fact]
    public async Task The_document_has_this_table()
    {
        var path = Path.Combine(FindRoot(), "docs", "authorization.md");
        var text = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        const string Begin = "<!-- The table: written by RouteAccessTests, not by hand. -->\n";
        const string End = "<!-- The end of the table. -->\n";
        var begin = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var end = text.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= Begin.Length && end >= begin, "The document has no place for the table.");

        if (Environment.GetEnvironmentVariable(DocumentVariable) == "1")
        {
            text = text[..begin] + Render() + text[end..];
            await File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);
            return;
        }

        Assert.True(Render() == text[begin..end], $"docs/authorization.md is not what the tests say; write it with {DocumentVariable}=1 and this test.");
    }

    private static string Render()
    {
        var table = new StringBuilder();
        foreach (var (part, rows) in RouteTable.Parts)
        {
            table.Append(CultureInfo.InvariantCulture, $"\n### {part}\n\n| route | opened by the scope | {string.Join(" | ", RouteTable.Kinds)} |\n");
            table.Append(CultureInfo.InvariantCulture, $"|---|---|{string.Concat(RouteTable.Kinds.Select(_ => "---|"))}\n");
            foreach (var row in rows)
            {
                var scope = row.Scope.Length == 0 ? "" : $"`{row.Scope}`";
                table.Append(CultureInfo.InvariantCulture, $"| `{row.Route.Replace("|", "\\|", StringComparison.Ordinal)}` | {scope} | {string.Join(" | ", row.Statuses)} |\n");
            }
        }
        return table.Append('\n').ToString();
    }

    private static string NameOf(RouteEndpoint endpoint)
    {
        var methods = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["ANY"];
        return $"{string.Join(',', methods)} {endpoint.RoutePattern.RawText!.TrimEnd('/')}";
    }

    private string? HeaderOf(string kind, string scope, string run)
    {
        string[] right = [scope.Length == 0 ? "admin" : scope];
        var past = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 1;
        return kind switch
        {
            "none" => null,
            "garbage" => "Bearer garbage",
            "expired" => "Bearer " + SignedTokens.Sign(ServerInProcess.SecretKey, "default", right, claims => claims["exp"] = past),
            "tampered" => "Bearer " + SignedTokens.Tamper(SignedTokens.Sign(ServerInProcess.SecretKey, "default", ["read:runs:x"]), "read:runs:x", right[0]),
            "other key" => "Bearer " + server.Other.Key,
            "other token" => "Bearer " + SignedTokens.Sign(server.Other.Key, server.Other.Id, right),
            "wrong scope" => "Bearer " + SignedTokens.Sign(ServerInProcess.SecretKey, "default", [$"trigger:runs:{run}"]),
            "right token" => "Bearer " + SignedTokens.Sign(ServerInProcess.SecretKey, "default", right),
            "secret key" => "Bearer " + ServerInProcess.SecretKey,
            "operator key" => "Bearer " + ServerInProcess.OperatorKey,
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
        };
    }

    /// <summary>Makes what a request is about, anew for each, as some of them end it.</summary>
    private async Task<Func<string, string>> PrepareAsync(RouteRow row)
    {
        var id = Guid.NewGuid().ToString("N");
        var (run, named, environment, key) = ($"run-{id}", $"stream-{id}", $"env-{id}", "");
        var secret = "Bearer " + ServerInProcess.SecretKey;
        if (row.Target.Contains("{run}", StringComparison.Ordinal))
        {
            await DoneAsync("POST", "/api/v1/runs", secret, $$"""{"id":"{{run}}","taskId":"report"}""");
            await DoneAsync("POST", $"/api/v1/runs/{run}/streams/s", secret, "0");
            await DoneAsync("POST", $"/api/v1/runs/{run}/inputs/in", secret, "0");
            if (row.Target.Contains("/stop", StringComparison.Ordinal)) await DoneAsync("POST", $"/api/v1/runs/{run}/stop", secret, "{}");
            // A run that goes on is needed to write, and one that has ended to have reads end.
            if (row.Route.StartsWith("GET ", StringComparison.Ordinal)) await DoneAsync("POST", $"/api/v1/runs/{run}/complete", secret, "{}");
        }
        if (row.Target.Contains("{named}", StringComparison.Ordinal)) await DoneAsync("PUT", $"/v1/streams/{named}", secret, "{}");
        if (row.Target.Contains("{environment}", StringComparison.Ordinal))
        {
            using var made = JsonDocument.Parse(await DoneAsync("POST", "/api/v1/admin/environments", "Bearer " + ServerInProcess.OperatorKey, $$"""{"id":"{{environment}}"}"""));
            key = made.RootElement.GetProperty("key").GetProperty("id").GetString()!;
        }
        return text => text
            .Replace("{run}", run, StringComparison.Ordinal)
            .Replace("{named}", named, StringComparison.Ordinal)
            .Replace("{environment}", environment, StringComparison.Ordinal)
            .Replace("{key}", key, StringComparison.Ordinal)
            .Replace("{new}", id, StringComparison.Ordinal);
    }

    private async Task<string> DoneAsync(string method, string path, string authorization, string body)
    {
        var (status, text) = await server.SendAsync(method, path, authorization, body);
        Assert.True(status is 200 or 201, $"{method} {path}: {status} {text}");
        return text;
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "RealtimeStreams.sln"))) return folder.FullName;
        throw new InvalidOperationException("The test does not run below the repository's root.");
    }
}
