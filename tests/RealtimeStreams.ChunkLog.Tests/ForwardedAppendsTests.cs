using RealtimeStreams.ChunkLog.Appending;
using RealtimeStreams.ChunkLog.Forwarding;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Tests;

/// <summary>Requests on their way to another node.</summary>
public sealed class ForwardedAppendsTests
{
    [Fact]
    public void The_limits_of_a_request_travel_with_it()
    {
        var stream = new StreamAddress(EnvironmentId.Parse("test"), RunId.Parse("run"), StreamKey.Parse("stream"));
        StreamLimits[] limits = [new(1, 2, 3, 4), new(5, 6, -7, 8), new(9, 10)];
        var requests = limits.Select(one => new AppendRequest(null, Outcome.Completed, one, DateTimeOffset.UnixEpoch, 0)).ToList();

        var (where, read) = ForwardedAppends.Read(ForwardedAppends.Write(stream, requests), 0);

        Assert.Equal(stream, where);
        Assert.Equal(limits, read.Select(request => request.Limits));
    }
}
