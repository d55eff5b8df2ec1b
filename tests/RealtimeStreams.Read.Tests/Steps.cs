using System.Text;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Read.Tests;

/// <summary>Takes a read's steps and checks what every read promises: indexes without a hole and without a double, and each event where it may be.</summary>
internal sealed class Steps(IStreamRead read)
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);
    private long? next;

    /// <summary>The chunks so far, by index, and the other steps in words.</summary>
    public List<(long Index, string Chunk)> Chunks { get; } = [];

    public List<string> Events { get; } = [];

    /// <summary>Takes one step.</summary>
    public async Task<ReadStep> TakeAsync(TimeSpan? wait = null)
    {
        var step = await read.NextAsync(wait ?? Long, TestContext.Current.CancellationToken);
        switch (step.Kind)
        {
            case ReadStepKind.Chunks:
                Assert.Equal(next ?? step.From.Value, step.From.Value);
                for (var index = step.From; index < step.Record!.NextIndex; index = index.Next)
                    Chunks.Add((index.Value, Encoding.UTF8.GetString(step.Record.Chunk((int)(index.Value - step.Record.FirstIndex.Value)).Span).TrimEnd()));
                next = step.Record.NextIndex.Value;
                break;
            case ReadStepKind.Trimmed:
                next = step.From.Value;
                Events.Add($"trimmed to {step.From}");
                break;
            case ReadStepKind.Ended:
                Events.Add($"ended {step.Outcome.ToWord()} at {step.From}");
                break;
            default:
                Events.Add(step.Kind.ToString());
                break;
        }
        Assert.Equal(read.Cursor.Value, next ?? read.Cursor.Value);
        return step;
    }

    /// <summary>Takes steps until one of this kind has come.</summary>
    public async Task<Steps> UntilAsync(ReadStepKind kind)
    {
        while ((await TakeAsync()).Kind is var came && came != kind)
            Assert.False(came is ReadStepKind.Ended or ReadStepKind.Erased or ReadStepKind.Idle, $"{came} came before {kind}. So far: {string.Join(", ", Events)}; {Chunks.Count} chunks.");
        return this;
    }

    /// <summary>Takes steps until so many chunks have come.</summary>
    public async Task<Steps> UntilAsync(int chunks)
    {
        while (Chunks.Count < chunks)
            Assert.False((await TakeAsync()).Kind is ReadStepKind.Ended or ReadStepKind.Erased or ReadStepKind.Idle, $"{Events.LastOrDefault()} came after {Chunks.Count} of {chunks} chunks.");
        return this;
    }

    /// <summary>Asserts that the chunks are those of these indexes, each with its own text.</summary>
    public void AssertChunks(long first, long count)
    {
        Assert.Equal(count, Chunks.Count);
        for (var i = 0; i < count; i++) Assert.Equal((first + i, ReadNode.TextOf(first + i)), Chunks[i]);
    }
}
