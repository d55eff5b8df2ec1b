using System.Buffers.Text;
using System.Globalization;
using System.Text;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Listing;

/// <summary>The last run of a page: what comes after it is the next. Opaque to clients.</summary>
internal readonly record struct RunCursor(DateTimeOffset CreatedAt, RunId Run)
{
    public override string ToString() => Base64Url.EncodeToString(
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{CreatedAt.UtcTicks}/{Run}")));

    public static bool TryParse(string text, out RunCursor cursor)
    {
        cursor = default;
        if (!Base64Url.IsValid(text)) return false;
        var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split('/', 2);
        if (parts.Length != 2
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            || ticks > DateTime.MaxValue.Ticks
            || !RunId.TryParse(parts[1], CultureInfo.InvariantCulture, out var run)) return false;
        cursor = new RunCursor(new DateTimeOffset(ticks, TimeSpan.Zero), run);
        return true;
    }
}
