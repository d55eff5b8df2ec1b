namespace RealtimeStreams.ChunkLog.Appending;

/// <summary>What waits for one stream's appender: at most 1 MiB or 4,096 chunks (and always one request), then senders wait, first come, first in.</summary>
/// <remarks>
/// 4,096 chunks are four records, so that the next is full while one is being stored. All its methods are called under the appender's lock.
/// </remarks>
internal sealed class AppendQueue
{
    private const int MaxBytes = 1024 * 1024;
    private const int MaxChunks = 4096;

    private readonly LinkedList<AppendRequest> requests = [];
    private readonly LinkedList<(AppendRequest Request, TaskCompletionSource Room)> waiting = [];
    private int bytes;
    private int chunks;

    public bool IsEmpty => requests.Count == 0;

    public AppendRequest? First => requests.First?.Value;

    /// <summary>Takes a request in. If there is no room, the result completes when it has been taken in; null: it is in already.</summary>
    public Task? Add(AppendRequest request)
    {
        if (waiting.Count == 0 && HasRoomFor(request))
        {
            Enqueue(request);
            return null;
        }
        var room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting.AddLast((request, room));
        return room.Task;
    }

    /// <summary>Takes back a request that waits for room. False when it is in already.</summary>
    public bool Withdraw(AppendRequest request)
    {
        for (var node = waiting.First; node is not null; node = node.Next)
        {
            if (node.Value.Request != request) continue;
            waiting.Remove(node);
            return true;
        }
        return false;
    }

    public AppendRequest TakeFirst()
    {
        var request = requests.First!.Value;
        requests.RemoveFirst();
        Count(request, -1);
        return request;
    }

    /// <summary>Puts requests back in front, in their order, because they have to be packed anew.</summary>
    public void PutBack(List<AppendRequest> again)
    {
        for (var i = again.Count - 1; i >= 0; i--)
        {
            requests.AddFirst(again[i]);
            Count(again[i], +1);
        }
    }

    /// <summary>Takes in those that wait, as far as there is room.</summary>
    public void Refill()
    {
        while (waiting.First is { } next && HasRoomFor(next.Value.Request))
        {
            waiting.RemoveFirst();
            Enqueue(next.Value.Request);
            next.Value.Room.TrySetResult();
        }
    }

    private bool HasRoomFor(AppendRequest request) =>
        requests.Count == 0 || (bytes + request.Bytes <= MaxBytes && chunks + request.Chunks <= MaxChunks);

    private void Enqueue(AppendRequest request)
    {
        requests.AddLast(request);
        Count(request, +1);
    }

    private void Count(AppendRequest request, int sign)
    {
        bytes += sign * request.Bytes;
        chunks += sign * request.Chunks;
    }
}
