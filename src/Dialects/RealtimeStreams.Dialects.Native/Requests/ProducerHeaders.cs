using System.Globalization;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Http;
using RealtimeStreams.Ingest;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Native.Requests;

/// <summary>Who writes, as the headers say.</summary>
internal static class ProducerHeaders
{
    // The largest integer that every JSON reader keeps exactly (RFC 8259, section 6).
    private const long MaxSequence = (1L << 53) - 1;

    /// <summary>The producer's position; null when the headers name no producer.</summary>
    public static bool TryRead(IHeaderDictionary headers, out ProducerPosition? position, out ProblemResult? problem)
    {
        position = null;
        problem = null;
        var sequence = headers[NativeHeaders.ProducerSequence];
        if (headers[NativeHeaders.ProducerId].Count == 0 && sequence.Count == 0)
        {
            if (headers.ContainsKey(NativeHeaders.ProducerEpoch))
                problem = Wrong(NativeHeaders.ProducerEpoch, $"needs {NativeHeaders.ProducerId} and {NativeHeaders.ProducerSequence} beside it");
            return problem is null;
        }
        if (!TryReadId(headers, out var id, out problem) || !TryReadEpoch(headers, out var epoch, out problem)) return false;
        if (id is null) problem = Wrong(NativeHeaders.ProducerId, $"is missing beside {NativeHeaders.ProducerSequence}");
        else if (sequence.Count == 0) problem = Wrong(NativeHeaders.ProducerSequence, $"is missing beside {NativeHeaders.ProducerId}");
        else if (!long.TryParse(sequence.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > MaxSequence)
            problem = Wrong(NativeHeaders.ProducerSequence, $"must be a number from 0 to {MaxSequence}");
        else position = new ProducerPosition(id.Value, epoch ?? 0, number);
        return problem is null;
    }

    public static bool TryReadId(IHeaderDictionary headers, out ProducerId? id, out ProblemResult? problem)
    {
        id = null;
        problem = null;
        var header = headers[NativeHeaders.ProducerId];
        if (header.Count == 0) return true;
        var text = RawPath.Unescape(header.ToString());
        if (text is not null && ProducerId.TryParse(text, null, out var parsed)) id = parsed;
        else problem = Wrong(NativeHeaders.ProducerId, text is null ? "is no percent-encoded UTF-8" : ProducerId.FindFault(text)!);
        return problem is null;
    }

    public static bool TryReadEpoch(IHeaderDictionary headers, out uint? epoch, out ProblemResult? problem)
    {
        epoch = null;
        problem = null;
        var header = headers[NativeHeaders.ProducerEpoch];
        if (header.Count == 0) return true;
        if (uint.TryParse(header.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var parsed)) epoch = parsed;
        else problem = Wrong(NativeHeaders.ProducerEpoch, $"must be a number from 0 to {uint.MaxValue}");
        return problem is null;
    }

    private static ProblemResult Wrong(string header, string fault) =>
        Problems.From(ErrorCode.InvalidRequest, $"The header {header} {fault}.", header);
}
