using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RealtimeStreams.Server.Hosting;

/// <summary>HTTP/1.1 and HTTP/2 with prior knowledge on one clear-text port: a connection that begins with HTTP/2's preface is served as HTTP/2.</summary>
/// <remarks>
/// By itself Kestrel speaks only HTTP/1.1 on a clear-text port that allows both, because TLS alone would tell it. Here the first bytes decide (RFC 9113,
/// section 3.4). The first byte that differs from the preface, which in every usual method is the first or the second, ends the looking, so that requests wait
/// for nothing. Silence ends as Kestrel ends it: after <c>KeepAliveTimeout</c> before the first byte, after <c>RequestHeadersTimeout</c> within the preface.
/// </remarks>
internal sealed class Http2Preface(ConnectionDelegate next, KestrelServerLimits limits, ProtocolChoice choice, TimeProvider clock)
{
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    private enum Sight
    {
        Undecided,
        Http2,
        Other,
    }

    /// <summary>Looks at the connections of every endpoint that is set up after this call.</summary>
    public static void UseOn(KestrelServerOptions kestrel)
    {
        var choice = ProtocolChoice.Find(typeof(KestrelServerOptions).Assembly);
        kestrel.ConfigureEndpointDefaults(endpoint =>
        {
            var clock = endpoint.ApplicationServices.GetService<TimeProvider>() ?? TimeProvider.System;
            endpoint.Use(next =>
            {
                var preface = new Http2Preface(next, kestrel.Limits, choice, clock);
                return connection => SpeaksBoth(endpoint, choice) ? preface.LookAsync(connection) : next(connection);
            });
        });
    }

    /// <summary>Finds out what the connection speaks, and hands it on with all its bytes. A connection that nothing comes of is closed.</summary>
    public async Task LookAsync(ConnectionContext connection)
    {
        if (await FindAsync(connection) is not { } sight) return;
        if (sight == Sight.Http2) choice.ChooseHttp2(connection);
        await next(connection);
    }

    /// <returns>Null when the connection was silent for too long, has gone, or the server stops.</returns>
    private async Task<Sight?> FindAsync(ConnectionContext connection)
    {
        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        using var waiting = new CancellationTokenSource(limits.KeepAliveTimeout, clock);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed, closing, waiting.Token);
        var input = connection.Transport.Input;
        long seen = 0;
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(ending.Token);
                var sight = Judge(read.Buffer);
                if (sight != Sight.Undecided || read.IsCompleted)
                {
                    // Nothing is consumed, and what came last counts as unseen, so that whoever reads next gets all of it at once.
                    input.AdvanceTo(read.Buffer.Start, read.Buffer.GetPosition(seen));
                    return sight;
                }
                if (seen == 0) waiting.CancelAfter(limits.RequestHeadersTimeout);
                seen = read.Buffer.Length;
                input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception exception) when (exception is IOException or ConnectionAbortedException)
        {
            return null; // Reset by the other side.
        }
    }

    // Asked for every connection, because TLS and protocols are set after the defaults.
    private static bool SpeaksBoth(ListenOptions endpoint, ProtocolChoice choice) =>
        (endpoint.Protocols & HttpProtocols.Http1AndHttp2) == HttpProtocols.Http1AndHttp2 && !choice.HasTls(endpoint);

    private static Sight Judge(in ReadOnlySequence<byte> received)
    {
        var rest = Preface;
        foreach (var piece in received)
        {
            var common = Math.Min(piece.Length, rest.Length);
            if (!piece.Span[..common].SequenceEqual(rest[..common])) return Sight.Other;
            rest = rest[common..];
            if (rest.IsEmpty) return Sight.Http2;
        }
        return Sight.Undecided;
    }
}
