namespace RealtimeStreams.Benchmarks.Measuring;

/// <summary>
/// Measures several sides in turn, round after round, the order turned around every time, so that what else happens on the machine
/// strikes all of them alike. Each side is run once before, unmeasured.
/// </summary>
internal sealed class Rounds
{
    private readonly List<(string Name, Func<CancellationToken, Task<double[]>> Measure)> sides = [];
    private readonly List<Dictionary<string, double[]>> rounds = [];
    private (string Side, int Value, double AtLeast)? quiet;

    /// <summary>What should be known of how it was measured.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Adds a side, which returns one or several values a round.</summary>
    public Rounds Add(string name, Func<CancellationToken, Task<double[]>> measure)
    {
        sides.Add((name, measure));
        return this;
    }

    /// <summary>Adds a side with one value a round.</summary>
    public Rounds Add(string name, Func<CancellationToken, Task<double>> measure) =>
        Add(name, async cancellationToken => [await measure(cancellationToken)]);

    /// <summary>Rounds in which a side comes to less than this are repeated, at most as often as there are rounds: the machine was not quiet.</summary>
    public Rounds RepeatBelow(double atLeast, string side, int value = 0)
    {
        quiet = (side, value, atLeast);
        return this;
    }

    public async Task RunAsync(int count, CancellationToken cancellationToken)
    {
        foreach (var (_, measure) in sides) await measure(cancellationToken);
        var disturbed = new List<Dictionary<string, double[]>>();
        for (var attempt = 0; rounds.Count < count && attempt < 2 * count; attempt++)
        {
            var round = new Dictionary<string, double[]>();
            foreach (var (name, measure) in attempt % 2 == 0 ? sides : Enumerable.Reverse(sides)) round[name] = await measure(cancellationToken);
            if (quiet is { } wanted && round[wanted.Side][wanted.Value] < wanted.AtLeast) disturbed.Add(round);
            else rounds.Add(round);
        }
        if (disturbed.Count == 0) return;
        var most = disturbed.Max(round => round[quiet!.Value.Side][quiet.Value.Value]);
        if (rounds.Count >= count)
        {
            Notes.Add($"{disturbed.Count} rounds were repeated, because {quiet!.Value.Side} stayed below {quiet.Value.AtLeast:N0}/s.");
            return;
        }
        rounds.AddRange(disturbed);
        Notes.Add(
            $"The machine was busy: in {disturbed.Count} of {rounds.Count} rounds {quiet!.Value.Side} stayed below {quiet.Value.AtLeast:N0}/s (at most {most:N0}/s there), and repeating did not help. All rounds count.");
    }

    /// <summary>The values of a side, one a round.</summary>
    public double[] Of(string side, int value = 0) => [.. rounds.Select(round => round[side][value])];

    /// <summary>A figure of two sides. The ratio is the median of the rounds' ratios.</summary>
    public Figure Compare(string what, string unit, string baseline, string product, Target? target, int value = 0)
    {
        var below = Of(baseline, value);
        var above = Of(product, value);
        return new Figure(
            what, unit, Samples.Median(below), Samples.Median(above), Samples.Median(above.Zip(below, (own, other) => own / other)), target, below, above);
    }

    /// <summary>A figure of one side, held to an absolute target.</summary>
    public Figure Tell(string what, string unit, string side, Target? target, int value = 0)
    {
        var values = Of(side, value);
        return new Figure(what, unit, null, Samples.Median(values), null, target, null, values);
    }

    /// <summary>A figure that no round may miss: the worst of them.</summary>
    public Figure TellWorst(string what, string unit, string side, Target? target, int value = 0)
    {
        var values = Of(side, value);
        return new Figure($"{what} (worst round)", unit, null, values.Max(), null, target, null, values);
    }
}
