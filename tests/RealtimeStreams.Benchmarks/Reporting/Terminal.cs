namespace RealtimeStreams.Benchmarks.Reporting;

/// <summary>The table on the terminal, row by row as they are done.</summary>
internal static class Terminal
{
    public static void Write(RowReport row)
    {
        Console.WriteLine();
        Console.WriteLine($"{row.Title}  [{row.Id}, {row.Seconds:0.0} s]");
        Console.WriteLine($"  beside: {row.Baseline}");
        if (row.Failure is { } failure) Console.WriteLine($"  could not be measured: {failure}");
        foreach (var figure in row.Figures)
        {
            Console.WriteLine(
                $"  {figure.What,-44} {Markdown.Number(figure.Baseline, figure.Unit),14} {Markdown.Number(figure.Product, figure.Unit),14} "
                + $"{Markdown.Ratio(figure.Ratio),9}   {Markdown.Bound(figure),-11} {(figure.Met switch { true => "met", false => "MISSED", null => "" })}");
        }
        foreach (var note in row.Notes) Console.WriteLine($"  note: {note}");
    }
}
