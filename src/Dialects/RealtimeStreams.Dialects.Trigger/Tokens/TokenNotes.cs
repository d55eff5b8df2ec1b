using System.Buffers.Text;
using System.Text.Json;
using RealtimeStreams.Dialects.Trigger.Requests;

namespace RealtimeStreams.Dialects.Trigger.Tokens;

/// <summary>What a public token says beside its scopes, which only this dialect knows. To be read of verified tokens only.</summary>
/// <param name="OneTimeUse">Whether it triggers one run of a task and no more (<c>otu</c>).</param>
/// <param name="SkipColumns">Columns of a run that whoever has it does not get to see by subscribing (<c>realtime.skipColumns</c>).</param>
internal sealed record TokenNotes(bool OneTimeUse, IReadOnlyList<string> SkipColumns)
{
    private static readonly TokenNotes None = new(false, []);

    /// <summary>The notes of a caller's token; none for a secret key.</summary>
    public static TokenNotes Of(Caller caller)
    {
        if (caller.Grant is null) return None;
        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(caller.Bearer.Split('.')[1]));
        var root = claims.RootElement;
        var once = root.TryGetProperty("otu", out var otu) && otu.ValueKind == JsonValueKind.True;
        if (!root.TryGetProperty("realtime", out var realtime) || realtime.ValueKind != JsonValueKind.Object
            || !realtime.TryGetProperty("skipColumns", out var columns) || columns.ValueKind != JsonValueKind.Array)
        {
            return new TokenNotes(once, []);
        }
        return new TokenNotes(once, [.. columns.EnumerateArray().Where(column => column.ValueKind == JsonValueKind.String).Select(column => column.GetString()!)]);
    }
}
