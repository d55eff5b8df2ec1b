using CsCheck;
using RealtimeStreams.ChunkLog.Appending;
using RealtimeStreams.Testing;

namespace RealtimeStreams.ChunkLog.Tests;

public sealed class AppendQueueTests(ITestOutputHelper output)
{
    private enum Move
    {
        Add,
        Take,
        PutBack,
        Withdraw,
        Refill,
    }

    [Fact]
    public void Requests_leave_in_the_order_in_which_they_came_whoever_waits_withdraws_or_is_put_back() => Gen.Select(
        Gen.Frequency((6, Gen.Const(Move.Add)), (4, Gen.Const(Move.Take)), (1, Gen.Const(Move.PutBack)), (1, Gen.Const(Move.Withdraw)), (3, Gen.Const(Move.Refill))),
        Gen.Frequency((3, Gen.Int[1, 5_000]), (2, Gen.Int[200_000, 600_000]), (1, Gen.Int[1_048_576, 1_500_000])),
        Gen.Int[0, 100]).Array[0, 200].Sample(
        moves =>
        {
            var queue = new AppendQueue();
            var inside = new List<AppendRequest>();
            var waiting = new List<(AppendRequest Request, Task Room)>();
            foreach (var (move, bytes, choice) in moves)
            {
                switch (move)
                {
                    case Move.Add:
                        var request = Request(bytes);
                        if (queue.Add(request) is { } room) waiting.Add((request, room));
                        else inside.Add(request);
                        break;
                    case Move.Take when inside.Count > 0:
                        Assert.Same(inside[0], queue.TakeFirst());
                        inside.RemoveAt(0);
                        break;
                    case Move.PutBack when inside.Count > 0:
                        var taken = new List<AppendRequest>();
                        for (var n = choice % inside.Count; n >= 0; n--) taken.Add(queue.TakeFirst());
                        queue.PutBack(taken);
                        break;
                    case Move.Withdraw when waiting.Count > 0:
                        var leaver = waiting[choice % waiting.Count];
                        Assert.True(queue.Withdraw(leaver.Request));
                        waiting.Remove(leaver);
                        break;
                    case Move.Refill:
                        queue.Refill();
                        while (waiting.Count > 0 && waiting[0].Room.IsCompleted)
                        {
                            Assert.False(queue.Withdraw(waiting[0].Request));
                            inside.Add(waiting[0].Request);
                            waiting.RemoveAt(0);
                        }
                        Assert.False(inside.Count == 0 && waiting.Count > 0, "An empty queue lets somebody wait.");
                        break;
                }
                Assert.All(waiting, one => Assert.False(one.Room.IsCompleted, "Somebody overtook those that wait."));
                Assert.Equal(inside.Count == 0, queue.IsEmpty);
                Assert.Same(inside.FirstOrDefault(), queue.First);
                // The bound, and one request more where it is larger than the bound.
                Assert.True(inside.Count <= 1 || inside.Sum(one => one.Bytes) <= 1024 * 1024, $"{inside.Sum(one => one.Bytes)} bytes are queued.");
            }
        },
        output.WriteLine,
        iter: 500 * Sweep.Rounds);

    private static AppendRequest Request(int bytes)
    {
        using var batch = new ChunkBatch();
        batch.Add(new byte[bytes]);
        return new AppendRequest(batch, null, LogNode.NoLimits, DateTimeOffset.UnixEpoch, 0);
    }
}
