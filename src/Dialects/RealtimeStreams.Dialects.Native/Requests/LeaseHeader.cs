using System.Globalization;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Requests;

/// <summary>How long a stream's writers may be gone, as the header says.</summary>
internal static class LeaseHeader
{
    /// <summary>The lease; null when the header is absent.</summary>
    public static bool TryRead(IHeaderDictionary headers, out TimeSpan? lease, out ProblemResult? problem)
    {
        lease = null;
        problem = null;
        var header = headers[NativeHeaders.WriterLease];
        if (header.Count == 0) return true;
        var (least, most) = ((int)LeaseBounds.Shortest.TotalSeconds, (int)LeaseBounds.Longest.TotalSeconds);
        if (int.TryParse(header.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds >= least && seconds <= most)
        {
            lease = TimeSpan.FromSeconds(seconds);
            return true;
        }
        problem = Problems.From(
            ErrorCode.InvalidRequest, $"The header {NativeHeaders.WriterLease} must be a number of seconds from {least} to {most}.", NativeHeaders.WriterLease);
        return false;
    }
}
