using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>The operator's command as a process of its own, beside a server that runs and is told nothing.</summary>
public sealed class EnvironmentsCommandTests(CommandedServer commanded) : IClassFixture<CommandedServer>
{
    private ServerProcess Server => commanded.Process;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keys_that_the_command_makes_rotates_and_revokes_open_and_do_not_open_a_running_server()
    {
        var made = await DoneAsync(NativeJson.Default.MadeSecretKey, "create", "acme");
        Assert.Equal(200, await StatusAsync(made.SecretKey));
        Assert.Equal(1, (await DoneAsync(NativeJson.Default.EnvironmentList, "list")).Environments.Single(one => one.Id == "acme").ValidKeys);

        var rotated = await DoneAsync(NativeJson.Default.MadeSecretKey, "rotate-key", "acme", made.Key.Id, "--overlap", "01:00:00");
        Assert.Equal(200, await StatusAsync(rotated.SecretKey));
        Assert.Equal(200, await StatusAsync(made.SecretKey));

        await DoneAsync(NativeJson.Default.SecretKeyInfo, "revoke-key", "acme", made.Key.Id);
        await Until.TrueAsync(() => "The revoked key is still taken.", async () => await StatusAsync(made.SecretKey) == 401);
        Assert.Equal(200, await StatusAsync(rotated.SecretKey));
        Assert.Equal(200, await StatusAsync(Server.SecretKey)); // The configured one is as it was, though the command's shell knows nothing of it.

        var (code, output, errors) = await RunAsync("keys", "acme");
        Assert.Equal(0, code);
        Assert.Contains("revoked", output, StringComparison.Ordinal);
        foreach (var secret in (string[])[made.SecretKey, rotated.SecretKey])
        {
            Assert.DoesNotContain(secret[9..30], output + errors, StringComparison.Ordinal);
            Assert.DoesNotContain(Server.Log, line => line.Contains(secret[9..30], StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Settings_are_set_told_and_taken_back()
    {
        var set = await DoneAsync(NativeJson.Default.EnvironmentInfo, "set", "default", "--retention", "7.00:00:00");
        Assert.Equal(604_800, set.Settings["retentionInSeconds"]);
        Assert.Equal(5, (await DoneAsync(NativeJson.Default.EnvironmentInfo, "set", "default", "--max-open-runs", "5")).Settings["maxOpenRuns"]);
        await DoneAsync(NativeJson.Default.EnvironmentInfo, "set", "default", "--max-open-runs", "default");

        var (code, output, errors) = await RunAsync("settings", "default");
        Assert.Equal(0, code);
        Assert.Contains("--retention", output, StringComparison.Ordinal);
        Assert.Contains("7.00:00:00", output, StringComparison.Ordinal);
        Assert.Equal("", errors);
        Assert.Empty((await DoneAsync(NativeJson.Default.EnvironmentInfo, "set", "default", "--retention=default")).Settings);
    }

    [Fact]
    public async Task Refusals_and_mistakes_end_with_codes_and_sentences_on_standard_error()
    {
        Assert.Equal((1, "", true), await ErrorAsync("keys", "nowhere"));
        Assert.Equal((1, "", true), await ErrorAsync("create", "default"));
        Assert.Equal((1, "", true), await ErrorAsync("revoke-key", "default", "key_x"));
        Assert.Equal((1, "", true), await ErrorAsync("settings", "nowhere"));
        Assert.Equal((1, "", true), await ErrorAsync("set", "nowhere", "--retention", "01:00:00"));
        Assert.Equal((2, "", true), await ErrorAsync("set", "default", "--retention", "29.00:00:00"));
        Assert.Equal((2, "", true), await ErrorAsync("set", "default", "--max-open-runs", "1000001"));
        Assert.Equal((2, "", true), await ErrorAsync("set", "default", "--colour", "blue"));
        Assert.Equal((2, "", true), await ErrorAsync("rub-out", "default"));
        Assert.Equal((3, "", true), await ErrorAsync("list", "--ConnectionStrings:registry", "Host=127.0.0.1;Port=1;Timeout=1"));
        var (code, help, _) = await RunAsync("--help");
        Assert.Equal(0, code);
        Assert.Contains("rotate-key <id> <key id>", help, StringComparison.Ordinal);

        async Task<(int Code, string Output, bool Told)> ErrorAsync(params string[] arguments)
        {
            var (code, output, errors) = await RunAsync(arguments);
            return (code, output, errors.Contains('.', StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_audit_says_who_on_standard_error_and_the_answer_alone_is_on_standard_output()
    {
        var (code, output, errors) = await RunAsync("add-key", "default", "--json");

        Assert.Equal(0, code);
        var made = JsonSerializer.Deserialize(output, NativeJson.Default.MadeSecretKey)!;
        Assert.Contains($"[1431] Secret key {made.Key.Id} of default was made by command (user {Environment.UserName})", errors, StringComparison.Ordinal);
        Assert.DoesNotContain(made.SecretKey[9..30], errors, StringComparison.Ordinal);
    }

    private async Task<int> StatusAsync(string key)
    {
        using var client = new HttpClient { BaseAddress = Server.Address, DefaultRequestHeaders = { Authorization = new("Bearer", key) } };
        using var answer = await client.GetAsync(new Uri("api/v1/runs", UriKind.Relative), Cancelled);
        return (int)answer.StatusCode;
    }

    private async Task<T> DoneAsync<T>(System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> contract, params string[] arguments)
    {
        var (code, output, errors) = await RunAsync([.. arguments, "--json"]);
        Assert.True(code == 0, errors);
        return JsonSerializer.Deserialize(output, contract)!;
    }

    private async Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        var assembly = typeof(ServerProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "ServerAssembly").Value!;
        var start = new ProcessStartInfo("dotnet", [assembly, "environments", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = commanded.DataDirectory,
        };
        start.Environment["RealtimeStreams__DataDirectory"] = commanded.DataDirectory;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Cancelled);
        var errors = process.StandardError.ReadToEndAsync(Cancelled);
        await process.WaitForExitAsync(Cancelled);
        return (process.ExitCode, await output, await errors);
    }
}

/// <summary>A server and the folder that its operator's commands are told of. Each test changes an environment, or a part of one, that is its own.</summary>
public sealed class CommandedServer : IAsyncLifetime
{
    private readonly TempFolder folder = new("environments");
    private TestBroker? broker;
    private ServerProcess? process;

    public ServerProcess Process => process!;

    public string DataDirectory => folder.FullPath;

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync();
        process = await ServerProcess.StartAsync(new ServerProcessOptions { Nats = broker.Url, DataDirectory = folder.FullPath });
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await process.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
        folder.Dispose();
    }
}
