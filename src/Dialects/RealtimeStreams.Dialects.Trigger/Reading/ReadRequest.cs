using System.Globalization;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.Trigger.Requests;
using RealtimeStreams.Http;

namespace RealtimeStreams.Dialects.Trigger.Reading;

/// <summary>What a reader asks for.</summary>
/// <param name="StartIndex">The index it wants first; negative: so many from the end; null: only what comes from now on.</param>
/// <param name="Timeout">How long it waits for a record.</param>
internal sealed record ReadRequest(long? StartIndex, TimeSpan Timeout)
{
    private const int DefaultTimeoutSeconds = 60;
    private const int MaxTimeoutSeconds = 600;

    // The largest integer that JavaScript keeps exactly.
    private const long MaxIndex = (1L << 53) - 1;

    /// <summary>Reads the headers.</summary>
    /// <param name="headers">They.</param>
    /// <param name="request">What they ask for.</param>
    /// <returns>What is wrong with them, for people; null: nothing.</returns>
    public static string? FindFault(IHeaderDictionary headers, out ReadRequest request)
    {
        request = new ReadRequest(0, TimeSpan.FromSeconds(DefaultTimeoutSeconds));
        var timeout = headers[TriggerHeaders.TimeoutSeconds].ToString();
        if (timeout.Length > 0)
        {
            if (!int.TryParse(timeout, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds is < 1 or > MaxTimeoutSeconds)
                return $"The header {TriggerHeaders.TimeoutSeconds} is {MediaTypes.Shorten(timeout)}; it must be a number from 1 to {MaxTimeoutSeconds}.";
            request = request with { Timeout = TimeSpan.FromSeconds(seconds) };
        }
        var last = headers[TriggerHeaders.LastEventId].ToString();
        if (last.Length > 0)
        {
            // A client makes it of startIndex - 1, so that a negative startIndex arrives here too: so many from the end.
            if (!long.TryParse(last, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index) || index is < -MaxIndex or >= MaxIndex)
                return $"The header {TriggerHeaders.LastEventId} is {MediaTypes.Shorten(last)}; it must be the number of a record.";
            request = request with { StartIndex = index + 1 };
        }
        else if (headers[TriggerHeaders.StreamStart].ToString().Equals("latest", StringComparison.OrdinalIgnoreCase))
        {
            request = request with { StartIndex = null };
        }
        return null;
    }
}
