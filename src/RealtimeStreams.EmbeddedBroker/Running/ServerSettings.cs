using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace RealtimeStreams.EmbeddedBroker.Running;

/// <summary>What a server of ours runs with: the same at every restart, so that its clients find it again.</summary>
/// <param name="Name">The server's name, by which we know that it is ours that answers.</param>
/// <param name="Port">The loopback port for clients.</param>
/// <param name="MonitoringPort">The loopback port for HTTP monitoring.</param>
/// <param name="Password">The password of its one user.</param>
internal sealed record ServerSettings(string Name, int Port, int MonitoringPort, string Password)
{
    private const string User = "realtimestreams";

    // A chunk of 1 MiB in a record of its own, with the record's other fields, is a little over 1 MiB.
    private const int MaxPayload = 2 * 1024 * 1024;

    public EmbeddedBrokerAddress Address { get; } = new(
        string.Create(CultureInfo.InvariantCulture, $"nats://{User}:{Password}@127.0.0.1:{Port}"),
        new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{MonitoringPort}/")));

    /// <summary>Chooses ports that are free now, and a new password.</summary>
    public static ServerSettings Choose()
    {
        // Both are held until both are known, so that they differ.
        using var clients = new TcpListener(IPAddress.Loopback, 0);
        using var monitoring = new TcpListener(IPAddress.Loopback, 0);
        clients.Start();
        monitoring.Start();
        return new ServerSettings(
            $"realtimestreams-{RandomNumberGenerator.GetHexString(8, lowercase: true)}",
            ((IPEndPoint)clients.LocalEndpoint).Port,
            ((IPEndPoint)monitoring.LocalEndpoint).Port,
            RandomNumberGenerator.GetHexString(48, lowercase: true));
    }

    /// <summary>Writes the server's configuration file, which holds the password and which only this user may read.</summary>
    public void Write(BrokerFolder folder, EmbeddedBrokerOptions.BrokerSettings options)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $$"""
            # Written by RealtimeStreams at every start of its embedded broker. Changes are lost.
            server_name: "{{Name}}"
            listen: "127.0.0.1:{{Port}}"
            http: "127.0.0.1:{{MonitoringPort}}"
            max_payload: {{MaxPayload}}
            logtime: false
            authorization { user: "{{User}}", password: "{{Password}}" }
            jetstream {
              store_dir: {{Quoted(folder.Store)}}
              sync_interval: "{{options.SyncInterval}}"
              {{(options.MaxStoreBytes is { } bytes ? $"max_file_store: {bytes}" : "")}}
            }

            """);
        // Deleted first: an existing file would keep its own mode.
        File.Delete(folder.Configuration);
        var create = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) create.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new StreamWriter(folder.Configuration, create);
        file.Write(text);
    }

    private static string Quoted(string path) =>
        $"\"{path.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
