namespace RealtimeStreams.ChunkLog.Appending;

/// <summary>What waits for one stream's appender: at most 1 MiB or 4,096 chunks (and always one request), then senders wait.</summary>
/// <remarks>
/// 4,096 chunks are four records, so that the next is full while one is being stored. All its methods are called under the appender's lock.
/// </remarks>
internal sealed class AppendQueue
{
    private const int MaxBytes = 1024 * 1024;
    private const int MaxChunks = 4096;

    private readonly LinkedList<AppendRequest> requests = [];
    private TaskCompletionSource? room;
    private int bytes;
    private int chunks;

    public bool IsEmpty => requests.Count == 0;

    public AppendRequest? First => requests.First?.Value;

    /// <summary>Takes a request in, or says what to wait for before trying again.</summary>
    public Task? TryAdd(AppendRequest request)
    {
        if (requests.Count > 0 && (bytes + request.Bytes > MaxBytes || chunks + request.Chunks > MaxChunks))
            return (room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        requests.AddLast(request);
        Count(request, +1);
        return null;
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

    /// <summary>Wakes the senders that wait for room.</summary>
    public void SignalRoom()
    {
        room?.TrySetResult();
        room = null;
    }

    private void Count(AppendRequest request, int sign)
    {
        bytes += sign * request.Bytes;
        chunks += sign * request.Chunks;
    }
}
