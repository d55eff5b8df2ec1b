using Microsoft.Extensions.Logging;
using NATS.Client.Core;

namespace RealtimeStreams.ChunkLog.Broker;

/// <summary>One connection to the broker, with what its users must know of its coming and going.</summary>
internal sealed class BrokerLink : IAsyncDisposable
{
    private readonly Lock gate = new();
    private TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool isOpen;

    public BrokerLink(string url, string name, ILoggerFactory loggerFactory)
    {
        Connection = new NatsConnection(new NatsOpts
        {
            Url = url,
            Name = name,
            LoggerFactory = loggerFactory,
            // Waiting appends are woken by the connection's events; two seconds, the default, would be their delay after a restart.
            ReconnectWaitMin = TimeSpan.FromMilliseconds(20),
            ReconnectWaitMax = TimeSpan.FromMilliseconds(200),
            ReconnectJitter = TimeSpan.FromMilliseconds(50),
            ConnectTimeout = TimeSpan.FromSeconds(2),
            // What is sent while the connection is down fails instead of waiting until it is back, which may be never.
            PublishTimeoutOnDisconnected = true,
            CommandTimeout = TimeSpan.FromSeconds(2),
            MaxReconnectRetry = -1,
            RetryOnInitialConnect = true,
            PingInterval = TimeSpan.FromSeconds(5),
            MaxPingOut = 2,
            // A broker that starts may refuse credentials for a moment; giving up for ever would need a restart of this process.
            IgnoreAuthErrorAbort = true,
            RequestReplyMode = NatsRequestReplyMode.SharedInbox,
            SuppressSlowConsumerWarnings = true,
        });
        Connection.ConnectionOpened += (_, _) => Change(open: true);
        Connection.ConnectionDisconnected += (_, _) => Change(open: false);
    }

    public NatsConnection Connection { get; }

    public bool IsOpen => Connection.ConnectionState == NatsConnectionState.Open;

    /// <summary>Called after each change, on the connection's own thread: true when it opened.</summary>
    public event Action<bool>? Changed;

    /// <summary>Waits until the connection is open; false when <paramref name="wait"/> passed before.</summary>
    public async ValueTask<bool> WaitUntilOpenAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        if (IsOpen) return true;
        Task open;
        lock (gate) open = opened.Task;
        try
        {
            await open.WaitAsync(wait, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return IsOpen;
        }
    }

    public ValueTask DisposeAsync() => Connection.DisposeAsync();

    private ValueTask Change(bool open)
    {
        lock (gate)
        {
            if (open) opened.TrySetResult();
            else if (isOpen) opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            isOpen = open;
        }
        Changed?.Invoke(open);
        return ValueTask.CompletedTask;
    }
}
