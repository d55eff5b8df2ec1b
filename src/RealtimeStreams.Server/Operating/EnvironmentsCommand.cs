using System.Diagnostics;
using Microsoft.Extensions.Logging.Console;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;
using RealtimeStreams.ServiceDefaults;

namespace RealtimeStreams.Server.Operating;

/// <summary>The operator's command: changes environments and keys in the registry that the server's own settings name. It listens nowhere and starts no broker.</summary>
internal static class EnvironmentsCommand
{
    private const int Done = 0;
    private const int Refused = 1;
    private const int Misunderstood = 2;
    private const int Unreachable = 3;

    public static bool IsMeant(string[] arguments) => arguments is [EnvironmentsArguments.Word, ..];

    /// <summary>Does what is asked for and says so: the answer on standard output, everything else on standard error.</summary>
    /// <returns>How the process ends.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var (asked, fault) = EnvironmentsArguments.Read(arguments[1..]);
        if (fault is not null)
        {
            await Console.Error.WriteLineAsync($"{fault} See: {EnvironmentsArguments.Word} --help");
            return Misunderstood;
        }
        if (asked is null)
        {
            await Console.Out.WriteLineAsync(EnvironmentsArguments.Help);
            return Done;
        }
        try
        {
            return await ExecuteAsync(asked);
        }
        catch (RegistryUnavailableException exception)
        {
            await Console.Error.WriteLineAsync(
                $"{exception.Message} Check that it runs, and ConnectionStrings__registry or RealtimeStreams__DataDirectory. Look with \"keys\" before you repeat a change.");
            return Unreachable;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Settings that cannot be, a password that is wrong, a folder that cannot be written to.
            await Console.Error.WriteLineAsync($"The registry could not be opened: {exception.Message}");
            return Unreachable;
        }
    }

    private static async Task<int> ExecuteAsync(EnvironmentsArguments asked)
    {
        var builder = Host.CreateApplicationBuilder([.. asked.Configuration]);
        // The answer alone goes to standard output, so that programs can read it. What is logged there is the audit, and what needs attention.
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft", LogLevel.None); // A start that fails is told below, in a sentence.
        builder.Logging.AddFilter("RealtimeStreams.RunRegistry.SecretKeys", LogLevel.Information);
        builder.Logging.AddFilter("RealtimeStreams.RunRegistry.Settings", LogLevel.Information);
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.AddServiceDefaults();
        builder.AddRunRegistry(RegistryUse.Administering);
        using var host = builder.Build();
        await host.StartAsync();
        var exitCode = await new EnvironmentsWork(
            host.Services.GetRequiredService<IEnvironments>(),
            host.Services.GetRequiredService<IEnvironmentSettings>(),
            host.Services.GetRequiredService<ISecretKeys>(),
            Console.Out,
            Console.Error).DoAsync(asked);
        await host.StopAsync();
        return exitCode;
    }

    /// <summary>What one command comes to.</summary>
    private sealed class EnvironmentsWork(IEnvironments environments, IEnvironmentSettings settings, ISecretKeys keys, TextWriter output, TextWriter errors)
    {
        private static readonly string By = $"command (user {System.Environment.UserName})";

        public async Task<int> DoAsync(EnvironmentsArguments asked)
        {
            var answer = new EnvironmentsAnswer(output, asked.Json);
            var none = CancellationToken.None;
            switch (asked)
            {
                case { Verb: "list" }:
                    await answer.WriteAsync(await environments.ListAsync(none));
                    return Done;
                case { Verb: "keys", Environment: { } environment }:
                    if (await keys.ListAsync(environment, none) is not { } listed) return await RefuseAsync($"There is no environment {environment}.");
                    await answer.WriteAsync(listed);
                    return Done;
                case { Verb: "create", Environment: { } environment }:
                    return await AnswerAsync(await environments.CreateAsync(environment, By, none));
                case { Verb: "add-key", Environment: { } environment }:
                    return await AnswerAsync(await keys.AddAsync(environment, By, none));
                case { Verb: "rotate-key", Environment: { } environment, Key: { } key }:
                    return await AnswerAsync(await keys.RotateAsync(environment, key, asked.Overlap, By, none));
                case { Verb: "revoke-key", Environment: { } environment, Key: { } key }:
                    return await AnswerAsync(await keys.RevokeAsync(environment, key, By, none));
                case { Verb: "settings", Environment: { } environment }:
                    if (await environments.FindAsync(environment, none) is not { } found) return await RefuseAsync($"There is no environment {environment}.");
                    await answer.WriteAsync(found, settings.All);
                    return Done;
                case { Verb: "set", Environment: { } environment }:
                    return await SetAsync(environment);
                default:
                    throw new UnreachableException();
            }

            async Task<int> SetAsync(EnvironmentId environment)
            {
                var (changes, fault) = SettingOptions.Read(asked.Settings, settings.All);
                if (fault is not null)
                {
                    await errors.WriteLineAsync(fault);
                    return Misunderstood;
                }
                switch (await settings.ChangeAsync(environment, changes, By, none))
                {
                    case EnvironmentSettingsOutcome.Changed changed:
                        await answer.WriteAsync(changed.Environment, settings.All);
                        return Done;
                    case EnvironmentSettingsOutcome.Refused refused:
                        return await RefuseAsync(refused.Refusal.Detail);
                    default:
                        throw new UnreachableException();
                }
            }

            async Task<int> AnswerAsync(SecretKeyOutcome outcome)
            {
                switch (outcome)
                {
                    case SecretKeyOutcome.Made made:
                        await answer.WriteAsync(asked.Environment!.Value, made);
                        return Done;
                    case SecretKeyOutcome.Revoked revoked:
                        await answer.WriteAsync(revoked);
                        return Done;
                    case SecretKeyOutcome.Refused refused:
                        return await RefuseAsync(refused.Refusal.Detail);
                    default:
                        throw new UnreachableException();
                }
            }
        }

        private async Task<int> RefuseAsync(string detail)
        {
            await errors.WriteLineAsync(detail);
            return Refused;
        }
    }
}
