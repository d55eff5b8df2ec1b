using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.RunRegistry.AccessTokens;
using RealtimeStreams.RunRegistry.Admitting;
using RealtimeStreams.RunRegistry.Claiming;
using RealtimeStreams.RunRegistry.Counting;
using RealtimeStreams.RunRegistry.Ending;
using RealtimeStreams.RunRegistry.Expiring;
using RealtimeStreams.RunRegistry.Leasing;
using RealtimeStreams.RunRegistry.Listing;
using RealtimeStreams.RunRegistry.Naming;
using RealtimeStreams.RunRegistry.Registering;
using RealtimeStreams.RunRegistry.SecretKeys;
using RealtimeStreams.RunRegistry.Settings;
using RealtimeStreams.RunRegistry.Setup;
using RealtimeStreams.RunRegistry.Stopping;
using RealtimeStreams.RunRegistry.Storing;
using RealtimeStreams.RunRegistry.Storing.Postgres;
using RealtimeStreams.RunRegistry.Storing.Sqlite;
using RealtimeStreams.RunRegistry.Watching;

namespace RealtimeStreams.RunRegistry;

/// <summary>Adds the registry of runs.</summary>
public static class RunRegistryModule
{
    /// <summary>The connection string of a PostgreSQL database; absent: SQLite under the data directory.</summary>
    public const string ConnectionStringName = "registry";

    /// <summary>
    /// Adds <see cref="IRunRegistry"/>, <see cref="IRunClaims"/>, <see cref="IRunStops"/>, <see cref="IRunSignals"/>, <see cref="IEnvironments"/>, <see cref="IEnvironmentSettings"/>, <see cref="ISecretKeys"/>, <see cref="IAccessTokens"/>, <see cref="ICredentials"/>, <see cref="INamedStreams"/>, <see cref="IWriterLeases"/>, <see cref="IRetention"/>, <see cref="IRunLimits"/>, <see cref="IStreamExpiries"/>, <see cref="IErasures"/>, <see cref="IDefaultSecretKey"/> and the
    /// health check <c>registry</c>, and data protection for the whole host with its keys in the registry's database. The database is migrated when the host starts. A server with several nodes also registers an <see cref="IRegistryAnnouncements"/>.
    /// </summary>
    /// <param name="builder">The host.</param>
    /// <param name="use">What the host wants of it.</param>
    public static IHostApplicationBuilder AddRunRegistry(this IHostApplicationBuilder builder, RegistryUse use = RegistryUse.Serving)
    {
        var services = builder.Services;
        services.AddSingleton<IValidateOptions<RunRegistryOptions>, RunRegistryOptionsValidator>();
        services.AddOptions<RunRegistryOptions>()
            .BindConfiguration(RunRegistryOptions.SharedSection)
            .BindConfiguration(RunRegistryOptions.Section)
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<V1RunLimitsOptions>, V1RunLimitsOptionsValidator>();
        services.AddOptions<V1RunLimitsOptions>().BindConfiguration(V1RunLimitsOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<V2RunLimitsOptions>, V2RunLimitsOptionsValidator>();
        services.AddOptions<V2RunLimitsOptions>().BindConfiguration(V2RunLimitsOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<V1RetentionOptions>, V1RetentionOptionsValidator>();
        services.AddOptions<V1RetentionOptions>().BindConfiguration(V1RetentionOptions.Section).ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IRegistryAnnouncements, InProcessAnnouncements>();

        services.AddSingleton(ChooseProvider);
        services.AddSingleton<RegistryTelemetry>();
        services.AddSingleton<RegistryDatabase>();
        services.AddSingleton<RunCache>();
        services.AddSingleton<UsageReports>();
        services.AddSingleton<OpenRunLimit>();
        services.AddSingleton<RunRegistrar>();
        services.AddSingleton<RunLister>();
        services.AddSingleton<StreamAdmitter>();
        services.AddSingleton<Observers>();
        services.AddSingleton<RunSignals>();
        services.AddSingleton<IRunSignals>(provider => provider.GetRequiredService<RunSignals>());
        services.AddSingleton<StopWatches>();
        services.AddSingleton<RunChanges>();
        services.AddSingleton<RunCompletion>();
        services.AddSingleton<RunErasure>();
        services.AddSingleton<Repetition>();
        services.AddSingleton<NamedStreamCache>();
        services.AddSingleton<NamedStreamLister>();
        services.AddSingleton<DefaultEnvironment>();
        services.AddSingleton<KeyRing>();
        services.AddSingleton<SecretKeyProtector>();
        services.AddSingleton<EnvironmentIds>();
        services.AddSingleton<EnvironmentKeys>();
        services.AddSingleton<EnvironmentFinder>();
        services.AddSingleton<CredentialChanges>();
        services.AddSingleton<SecretKeyMaker>();
        services.AddSingleton<RevocationStore>();
        services.AddSingleton<Revocations>();
        services.AddSingleton<EnvironmentDirectory>();
        services.AddSingleton<SettingsTable>();
        services.AddSingleton<KnownSettings>();

        services.AddSingleton<IRunRegistry, Registry>();
        services.AddSingleton<IEnvironments>(provider => provider.GetRequiredService<EnvironmentDirectory>());
        services.AddSingleton<IEnvironmentSettings, SettingsKeeper>();
        services.AddSingleton<ISecretKeys>(provider => provider.GetRequiredService<SecretKeyMaker>());
        services.AddSingleton<TokenAuthority>();
        services.AddSingleton<IAccessTokens>(provider => provider.GetRequiredService<TokenAuthority>());
        services.AddSingleton<ICredentials, CredentialFinder>();
        services.AddSingleton<IRunClaims, RunClaims>();
        services.AddSingleton<IRunStops, RunStops>();
        services.AddSingleton<INamedStreams, StreamNamer>();
        services.AddSingleton<IWriterLeases, WriterLeases>();
        services.AddSingleton<RetentionRule>();
        services.AddSingleton<RunLimitsRule>();
        services.AddSingleton<IRunLimits>(provider => provider.GetRequiredService<RunLimitsRule>());
        services.AddSingleton<IRetention>(provider => provider.GetRequiredService<RetentionRule>());
        services.AddSingleton<IStreamExpiries, StreamExpiries>();
        services.AddSingleton<IErasures, Erasures>();
        services.AddSingleton<IDefaultSecretKey>(provider => provider.GetRequiredService<DefaultEnvironment>());
        services.AddSingleton(new RegistrySetup.Extent(MakesDefaultKey: use == RegistryUse.Serving));
        services.AddHostedService<RegistrySetup>();
        if (use == RegistryUse.Serving) services.AddHostedService<CredentialWatch>();
        if (use == RegistryUse.Serving) services.AddHostedService<RevocationRounds>();
        if (use == RegistryUse.Serving) services.AddHostedService<StopLookout>();
        if (use == RegistryUse.Serving) services.AddHostedService<UsageReporter>();

        // After the set-up: it loads its keys when the host starts, from tables that must be there.
        services.AddDataProtection().SetApplicationName(SecretKeyProtector.ApplicationName);
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(provider => new ConfigureOptions<KeyManagementOptions>(
            options => options.XmlRepository = provider.GetRequiredService<KeyRing>()));
        services.AddHealthChecks().AddCheck<RegistryHealthCheck>("registry", tags: ["ready"]);
        return builder;
    }

    private static RegistryProvider ChooseProvider(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<RunRegistryOptions>>().Value;
        var loggers = services.GetRequiredService<ILoggerFactory>();
        return services.GetRequiredService<IConfiguration>().GetConnectionString(ConnectionStringName) is { Length: > 0 } connectionString
            ? new PostgresProvider(connectionString, options.CommandTimeout, loggers)
            : new SqliteProvider(Path.GetFullPath(options.DataDirectory), options.CommandTimeout, loggers);
    }
}
