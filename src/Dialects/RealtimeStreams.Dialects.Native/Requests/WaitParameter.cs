using System.Globalization;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Native.Requests;

/// <summary>The parameter <c>waitInSeconds</c>: how long a request may wait for what it asks about.</summary>
internal static class WaitParameter
{
    private const int MaxSeconds = 30;

    /// <param name="waitInSeconds">As it was sent; null: it was not.</param>
    /// <param name="usual">What counts where it was not sent.</param>
    /// <param name="wait">How long.</param>
    /// <returns>What is wrong with it; null when nothing is.</returns>
    public static ProblemResult? FindFault(string? waitInSeconds, TimeSpan usual, out TimeSpan wait)
    {
        wait = usual;
        if (waitInSeconds is null) return null;
        var isNumber = int.TryParse(waitInSeconds, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds);
        wait = TimeSpan.FromSeconds(seconds);
        return isNumber && seconds <= MaxSeconds
            ? null
            : Problems.From(ErrorCode.InvalidRequest, $"The parameter waitInSeconds must be a number from 0 to {MaxSeconds}.", "waitInSeconds");
    }
}
