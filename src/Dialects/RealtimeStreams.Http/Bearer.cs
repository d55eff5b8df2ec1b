using Microsoft.AspNetCore.Http;

namespace RealtimeStreams.Http;

/// <summary>The credential of a request (RFC 6750, section 2.1).</summary>
public static class Bearer
{
    private const string Scheme = "Bearer ";

    // Far above every key and token there is, and below what a header may have.
    private const int MaxChars = 16 * 1024;

    /// <summary>What stands behind <c>Authorization: Bearer</c>; null when nothing does, or when there are several such headers.</summary>
    public static string? Find(IHeaderDictionary headers)
    {
        ArgumentNullException.ThrowIfNull(headers);
        return headers.Authorization is [{ Length: <= MaxChars } value] && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && value[Scheme.Length..].Trim() is { Length: > 0 } credential
            ? credential
            : null;
    }
}
