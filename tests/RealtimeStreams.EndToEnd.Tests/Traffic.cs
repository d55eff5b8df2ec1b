using System.Globalization;
using System.Runtime.CompilerServices;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Numbered chunks of several producers, and the check of a whole log for them.</summary>
internal static class Traffic
{
    public static readonly RealtimeStream<string> Stream = RealtimeStream.Define<string>("traffic");

    public static RealtimeStreamsClient ClientOf(ServerProcess server, int? port = null) => new(new RealtimeStreamsClientOptions
    {
        BaseAddress = new UriBuilder(server.Address) { Port = port ?? server.Port }.Uri,
        SecretKey = server.SecretKey,
        MaxBackoff = TimeSpan.FromMilliseconds(500),
    });

    /// <summary>Waits for a run's end.</summary>
    public static async Task<RunInfo> WaitForEndAsync(RealtimeStreamsClient client, string run, TimeSpan limit)
    {
        RunInfo? info = null;
        await Until.TrueAsync(
            () => $"The run {run} has not ended: {info?.Phase}, attempt {info?.Attempt} of {info?.Worker}.",
            async () => (info = await client.Runs.GetAsync(run, TestContext.Current.CancellationToken)).Status != RunStatus.Open,
            limit);
        return info!;
    }

    /// <summary>The chunks "name:0", "name:1" and so on. After each it lets the others work, so that the producers interleave.</summary>
    /// <param name="name">Whose.</param>
    /// <param name="count">How many.</param>
    /// <param name="written">Called with the number of each.</param>
    /// <param name="gate">What to wait for before a chunk; null: nothing.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async IAsyncEnumerable<string> NumberAsync(
        string name,
        int count,
        Action<int>? written = null,
        Func<int, Task>? gate = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (var i = 0; i < count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (gate is not null) await gate(i);
            yield return string.Create(CultureInfo.InvariantCulture, $"{name}:{i}");
            written?.Invoke(i);
            await Task.Yield();
        }
    }

    /// <summary>Reads until the stream ends, checking that indexes are dense from the start index on.</summary>
    public static async Task<List<string>> ReadToEndAsync(
        RealtimeStreamsClient client, string run, long startIndex = 0, Action<long>? seen = null, CancellationToken cancellationToken = default)
    {
        var chunks = new List<string>();
        await foreach (var (index, chunk) in client.Streams.ReadAsync(Stream, run, new ReadOptions { StartIndex = startIndex }, cancellationToken).Items)
        {
            Assert.Equal(startIndex + chunks.Count, index);
            chunks.Add(chunk);
            seen?.Invoke(index);
        }
        return chunks;
    }

    /// <summary>Every producer's chunks stand in the log exactly once and in their order, and nothing else does.</summary>
    public static void AssertComplete(IReadOnlyCollection<string> log, IEnumerable<string> producers, int chunksEach)
    {
        var names = producers.ToList();
        foreach (var name in names)
            Assert.Equal(
                Enumerable.Range(0, chunksEach).Select(i => string.Create(CultureInfo.InvariantCulture, $"{name}:{i}")),
                log.Where(chunk => chunk.StartsWith(name + ":", StringComparison.Ordinal)));
        Assert.Equal(names.Count * chunksEach, log.Count);
    }
}
