using RealtimeStreams.Benchmarks.Measuring;

namespace RealtimeStreams.Benchmarks.Reporting;

/// <summary>What a row came to.</summary>
/// <param name="Id">The word for it on the command line.</param>
/// <param name="Title">The promise.</param>
/// <param name="Baseline">What the baseline is.</param>
/// <param name="Figures">The lines of the table; none when it could not be measured.</param>
/// <param name="Failure">Why it could not be measured; null when it was.</param>
/// <param name="Notes">What should be known of the figures.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record RowReport(
    string Id, string Title, string Baseline, IReadOnlyList<Figure> Figures, string? Failure, IReadOnlyList<string> Notes, double Seconds);

/// <summary>A whole run.</summary>
internal sealed record RunReport(string Command, Machine Machine, int Rounds, bool Quick, double Seconds, IReadOnlyList<RowReport> Rows);
