using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>Which run a write goes to. A text converts to it: <c>"self"</c>, <c>"parent"</c>, <c>"root"</c>, or a run id.</summary>
public readonly record struct StreamTarget
{
    private readonly string? word;

    private StreamTarget(string word) => this.word = word;

    /// <summary>The run that is going on.</summary>
    public static StreamTarget Self => default;

    /// <summary>The run that started the one that is going on.</summary>
    public static StreamTarget Parent { get; } = new("parent");

    /// <summary>The first run of the chain; the run that is going on when it was started by none.</summary>
    public static StreamTarget Root { get; } = new("root");

    /// <summary>Any run, also from outside of one.</summary>
    /// <exception cref="FormatException">The id cannot be one; the message says why.</exception>
    public static StreamTarget Run(string runId) => new(RunId.Parse(runId).Value);

    /// <summary>The words <c>self</c>, <c>parent</c> and <c>root</c>, or a run id.</summary>
    /// <exception cref="FormatException">The text is neither; the message says why.</exception>
    public static implicit operator StreamTarget(string target) => FromString(target);

    /// <summary>The words <c>self</c>, <c>parent</c> and <c>root</c>, or a run id.</summary>
    /// <exception cref="FormatException">The text is neither; the message says why.</exception>
    public static StreamTarget FromString(string target) => target switch
    {
        "self" => Self,
        "parent" => Parent,
        "root" => Root,
        _ => Run(target),
    };

    /// <inheritdoc />
    public override string ToString() => word ?? "self";

    /// <summary>The run that is meant, seen from <paramref name="context"/>.</summary>
    /// <exception cref="InvalidOperationException">It needs a context, or a parent, that is not there.</exception>
    internal RunId Resolve(RunContext? context)
    {
        if (word is not (null or "parent" or "root")) return RunId.Parse(word);
        if (context is null)
            throw new InvalidOperationException(
                $"No run is going on here, so the target '{this}' means nothing. Name the run (Target = StreamTarget.Run(runId)), or write inside Runs.RunAsync or Runs.Enter.");
        return word switch
        {
            "parent" when context.ParentRunId is null =>
                throw new InvalidOperationException($"The run '{context.RunId}' has no parent, so the target 'parent' means nothing."),
            "parent" => RunId.Parse(context.ParentRunId),
            "root" => RunId.Parse(context.RootRunId),
            _ => RunId.Parse(context.RunId),
        };
    }
}
