using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace RealtimeStreams.Dialects.Trigger.Requests;

/// <summary>The key under which a retry of a call is recognised, as the clients send it.</summary>
internal static class RequestKey
{
    private const string Prefix = "trigger:";
    private const int MaxBytes = 128;

    /// <summary>The key for the log or the registry, at most 128 bytes; null when the client sent none.</summary>
    public static string? Of(HttpRequest request)
    {
        var sent = request.Headers[TriggerHeaders.RequestIdempotencyKey].ToString();
        if (sent.Length == 0) return null;
        var key = Prefix + sent;
        return Encoding.UTF8.GetByteCount(key) <= MaxBytes ? key : Prefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sent)));
    }
}
