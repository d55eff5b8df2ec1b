using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Benchmarks.Product;

namespace RealtimeStreams.Benchmarks;

/// <summary>A row of the target table: one promise, measured beside its baseline.</summary>
internal abstract class Row
{
    /// <summary>The word for it on the command line.</summary>
    public abstract string Id { get; }

    /// <summary>The promise, as in the target table.</summary>
    public abstract string Title { get; }

    /// <summary>What the baseline is.</summary>
    public abstract string Baseline { get; }

    /// <summary>Measures it, on brokers of its own.</summary>
    public abstract Task<IReadOnlyList<Figure>> MeasureAsync(RowContext context, CancellationToken cancellationToken);
}

/// <summary>What a row is told, and where it tells what should be known of its figures.</summary>
/// <param name="quick">Whether a look is enough: fewer and shorter rounds.</param>
/// <param name="rounds">How many rounds are measured; each side is run once before.</param>
/// <param name="stage">The broker and the server of the rows that neither break nor fill them.</param>
internal sealed class RowContext(bool quick, int rounds, Stage stage)
{
    public Stage Stage { get; } = stage;

    public bool Quick { get; } = quick;

    public int Rounds { get; } = rounds;

    /// <summary>How long one side of one round lasts.</summary>
    public TimeSpan Slice => Quick ? TimeSpan.FromMilliseconds(250) : TimeSpan.FromMilliseconds(700);

    /// <summary>The least that the baseline with 256 publishes in flight reaches on a quiet machine.</summary>
    public static double QuietBaseline => 25_000;

    public List<string> Notes { get; } = [];
}
