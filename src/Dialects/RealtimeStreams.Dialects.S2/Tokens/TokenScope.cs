using System.Globalization;
using System.Text.Json;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Tokens;

/// <summary>What is asked for in a token: which operations on which streams, and until when.</summary>
/// <param name="Scopes">The scopes of the access token that stands for it.</param>
/// <param name="Lifetime">How long it is to be valid.</param>
internal sealed record TokenScope(IReadOnlyList<string> Scopes, TimeSpan Lifetime)
{
    /// <summary>How long a token is valid when nobody says.</summary>
    public static readonly TimeSpan DefaultLifetime = TimeSpan.FromDays(1);

    /// <summary>The longest that a token is valid: S2's interface cannot take it back, and its answer does not tell the id by which the native one does.</summary>
    public static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(30);

    private const int MaxIdBytes = 96;
    private const int MaxNameBytes = 512;

    /// <summary>Reads a request to issue a token.</summary>
    public static S2Error? Read(JsonElement body, EnvironmentId environment, DateTimeOffset now, out TokenScope? result)
    {
        result = null;
        if (Text(body, "id") is not { Length: > 0 and <= MaxIdBytes }) return S2Error.Invalid($"The field id must be a text of 1 to {MaxIdBytes} characters.");
        if (FindLifetime(body, now, out var lifetime) is { } wrong) return wrong;
        if (Object(body, "scope") is not { } scope) return S2Error.Invalid("The field scope must be an object.");
        var own = S2Names.BasinOf(environment);
        if (Object(scope, "basins") is not { } basins || !(Text(basins, "exact") == own || (Text(basins, "prefix") is { } part && own.StartsWith(part, StringComparison.Ordinal))))
            return S2Error.Invalid($"The field scope.basins must name the basin of this credential: {{\"exact\":\"{own}\"}}.");
        if (FindOperations(scope, out var operations) is { } unknown) return unknown;
        if (Object(scope, "streams") is not { } streams) return S2Error.Invalid("The field scope.streams must be {\"prefix\":…} or {\"exact\":…}: the token is for streams.");
        var (prefix, exact) = (Text(streams, "prefix"), Text(streams, "exact"));
        if (prefix is null == exact is null || (prefix ?? exact)!.Length > MaxNameBytes)
            return S2Error.Invalid($"The field scope.streams must have either prefix or exact, a text of at most {MaxNameBytes} characters.");

        List<string> scopes = [.. operations.Select(operation => prefix is null ? Permit.ScopeOfStream(operation, exact!) : Permit.ScopeOfPrefix(operation, prefix))];
        if (body.TryGetProperty("auto_prefix_streams", out var auto) && auto.ValueKind == JsonValueKind.True)
        {
            if (prefix is null) return S2Error.Invalid("The field auto_prefix_streams needs scope.streams.prefix.");
            scopes.Add(Permit.ScopeOfAutoPrefix(prefix));
        }
        var bytes = scopes.Sum(AccessScope.WrittenBytes);
        if (bytes > IAccessTokens.MaxScopeBytes)
            return S2Error.Invalid($"The scope is {bytes} bytes long as the token holds it; at most {IAccessTokens.MaxScopeBytes} are allowed. Name fewer operations, or a shorter prefix.");
        result = new TokenScope(scopes, lifetime);
        return null;
    }

    private static S2Error? FindLifetime(JsonElement body, DateTimeOffset now, out TimeSpan lifetime)
    {
        lifetime = DefaultLifetime;
        if (!body.TryGetProperty("expires_at", out var text) || text.ValueKind == JsonValueKind.Null) return null;
        if (text.ValueKind != JsonValueKind.String
            || !DateTimeOffset.TryParse(text.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var expires))
        {
            return S2Error.Invalid("The field expires_at must be a time as RFC 3339 writes it.");
        }
        lifetime = expires - now;
        return lifetime >= IAccessTokens.MinLifetime && lifetime <= MaxLifetime
            ? null
            : S2Error.Invalid($"The field expires_at must lie at least a second ahead, and at most {MaxLifetime.TotalDays:0} days.");
    }

    private static S2Error? FindOperations(JsonElement scope, out IReadOnlyCollection<string> operations)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        operations = found;
        if (scope.TryGetProperty("ops", out var list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in list.EnumerateArray())
            {
                if (item.ValueKind != JsonValueKind.String || Array.IndexOf(Operation.All, item.GetString()) < 0)
                    return S2Error.Invalid($"The field scope.ops may have {string.Join(", ", Operation.All)}; the rest needs the secret key.");
                found.Add(item.GetString()!);
            }
        }
        if (Object(scope, "op_groups") is { } groups && Object(groups, "stream") is { } stream)
        {
            if (IsTrue(stream, "read")) found.UnionWith(Operation.Reading);
            if (IsTrue(stream, "write")) found.UnionWith(Operation.Writing);
        }
        return found.Count > 0 ? null : S2Error.Invalid("The token would allow nothing: name operations in the field scope.ops.");
    }

    private static JsonElement? Object(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    private static string? Text(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool IsTrue(JsonElement of, string name) => of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
}
