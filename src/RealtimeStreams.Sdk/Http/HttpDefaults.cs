namespace RealtimeStreams.Sdk.Http;

/// <summary>The client's own connections.</summary>
internal static class HttpDefaults
{
    public static SocketsHttpHandler CreateHandler() => new()
    {
        // Old enough to be worth having, young enough that a moved DNS name is noticed.
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        ConnectTimeout = TimeSpan.FromSeconds(10),
        AllowAutoRedirect = false, // A redirect would carry the key to wherever it points.
        UseCookies = false,
    };
}
