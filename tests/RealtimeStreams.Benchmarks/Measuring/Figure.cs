namespace RealtimeStreams.Benchmarks.Measuring;

/// <summary>What a figure is held to.</summary>
/// <param name="Least">Whether it is a floor; else a ceiling.</param>
/// <param name="Value">The bound.</param>
/// <param name="IsRatio">Whether it bounds the ratio of product to baseline; else the product's own value.</param>
internal sealed record Target(bool Least, double Value, bool IsRatio)
{
    public static Target AtLeast(double ratio) => new(true, ratio, true);

    public static Target AtMost(double ratio) => new(false, ratio, true);

    public static Target Within(double value) => new(false, value, false);
}

/// <summary>One line of the table.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Unit">The unit of both values.</param>
/// <param name="Baseline">The median of the baseline's rounds; null without one.</param>
/// <param name="Product">The median of the product's rounds.</param>
/// <param name="Ratio">The median of the rounds' ratios of product to baseline; null without a baseline.</param>
/// <param name="Target">What it is held to; null: told for comparison only.</param>
/// <param name="BaselineRounds">The baseline, round by round.</param>
/// <param name="ProductRounds">The product, round by round.</param>
internal sealed record Figure(
    string What,
    string Unit,
    double? Baseline,
    double Product,
    double? Ratio,
    Target? Target,
    IReadOnlyList<double>? BaselineRounds,
    IReadOnlyList<double> ProductRounds)
{
    /// <summary>Whether the target is met; null without a target.</summary>
    public bool? Met => Target is null ? null
        : (Target.IsRatio ? Ratio : Product) is not { } value || double.IsNaN(value) ? false
        : Target.Least ? value >= Target.Value : value <= Target.Value;
}
