using System.Text.Json;

namespace RealtimeStreams.RunRegistry;

/// <summary>One scope of a token: <c>action:type:id</c>, <c>action:type</c>, or the word <c>admin</c>. Ids may contain colons.</summary>
/// <param name="Action">What may be done; <c>*</c> for everything.</param>
/// <param name="Type">To what kind of thing; <c>all</c> for every kind, null where the scope is a single word.</param>
/// <param name="Id">To which of them; null for each.</param>
public readonly record struct AccessScope(string Action, string? Type, string? Id)
{
    /// <summary>Whether this allows everything.</summary>
    public bool IsAdmin => Action == "admin" && Type is null;

    /// <summary>Reads a scope. Every text is one; most allow nothing.</summary>
    public static AccessScope Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(':', 3);
        return new AccessScope(parts[0], parts.Length > 1 ? parts[1] : null, parts.Length > 2 ? parts[2] : null);
    }

    /// <summary>How long a scope is in a token's JSON, quotes and comma included.</summary>
    public static int WrittenBytes(string scope) => JsonEncodedText.Encode(scope).EncodedUtf8Bytes.Length + 3;

    /// <summary>Whether this allows the action on the resource.</summary>
    public bool Allows(string action, AccessResource resource) =>
        IsAdmin || ((Action == "*" || Action == action) && Covers(resource));

    /// <summary>Whether this is about the resource, whatever it allows to do with it.</summary>
    public bool Covers(AccessResource resource) =>
        Type is not null && (Type == "all" || Type == resource.Type) && (Id is null || Id == resource.Id);

    /// <summary>The scope as it stands in a token.</summary>
    public override string ToString() => Type is null ? Action : Id is null ? $"{Action}:{Type}" : $"{Action}:{Type}:{Id}";
}
