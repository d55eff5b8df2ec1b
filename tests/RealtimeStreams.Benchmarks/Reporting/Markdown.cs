using System.Globalization;
using System.Text;
using RealtimeStreams.Benchmarks.Measuring;

namespace RealtimeStreams.Benchmarks.Reporting;

/// <summary>The run as a page for people.</summary>
internal static class Markdown
{
    public static string Of(RunReport report)
    {
        var machine = report.Machine;
        var page = new StringBuilder()
            .AppendLine("# Benchmarks")
            .AppendLine()
            .AppendLine("The last run, as it came out. Baseline and product share the machine, the broker and the minute; they are measured in turn,")
            .AppendLine($"{report.Rounds} rounds after one to warm up. Values are medians of the rounds, a ratio is the median of the rounds' ratios: on a shared")
            .AppendLine("machine read the ratios. Everything runs on this one machine, over loopback.")
            .AppendLine()
            .AppendLine("```")
            .AppendLine(report.Command)
            .AppendLine("```")
            .AppendLine()
            .AppendLine("| | |")
            .AppendLine("|---|---|")
            .AppendLine($"| machine | {machine.Cores} cores{(machine.Processor is null ? "" : $" ({machine.Processor})")}, {machine.MemoryGiB:0.#} GiB, {machine.System} |")
            .AppendLine($"| .NET | {machine.Runtime}; garbage collector of benchmark and server: {machine.Collector} |")
            .AppendLine($"| broker | nats-server {machine.NatsServer}, one replica, file storage, sync_interval 200ms |")
            .AppendLine($"| date | {machine.Date:yyyy-MM-dd HH:mm} UTC; {report.Seconds:0} s{(report.Quick ? ", a quick look" : "")} |");
        if (machine.LoadBefore is { } load) page.AppendLine($"| load average before | {load:0.0} (of other work) |");

        page.AppendLine()
            .AppendLine("| what | baseline | product | ratio | target | met |")
            .AppendLine("|---|---|---|---|---|---|");
        foreach (var row in report.Rows)
        {
            page.AppendLine($"| **{row.Title}**<br>beside: {row.Baseline} | | | | | |");
            if (row.Failure is { } failure) page.AppendLine($"| could not be measured: {failure.ReplaceLineEndings(" ")} | – | – | – | – | **no** |");
            foreach (var figure in row.Figures)
            {
                page.AppendLine(
                    $"| {figure.What} | {Number(figure.Baseline, figure.Unit)} | {Number(figure.Product, figure.Unit)} | {Ratio(figure.Ratio)} | {Bound(figure)} | {Verdict(figure)} |");
            }
        }

        if (report.Rows.Any(row => row.Notes.Count > 0))
        {
            page.AppendLine().AppendLine("Notes").AppendLine();
            foreach (var row in report.Rows)
                foreach (var note in row.Notes) page.AppendLine($"- {row.Title}: {note}");
        }
        return page.ToString();
    }

    public static string Number(double? value, string unit) => value switch
    {
        null => "–",
        { } number when double.IsNaN(number) => "none",
        { } number when unit.EndsWith("/s", StringComparison.Ordinal) => number.ToString("N0", CultureInfo.InvariantCulture) + unit[unit.LastIndexOf('/')..],
        { } number => $"{number.ToString(Math.Abs(number) >= 100 || number == Math.Truncate(number) ? "N0" : "0.##;-0.##;0", CultureInfo.InvariantCulture)} {unit}".TrimEnd(),
    };

    public static string Ratio(double? ratio) => ratio is { } value ? value.ToString(value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture) + " ×" : "–";

    public static string Bound(Figure figure) => figure.Target is not { } target ? "–"
        : $"{(target.Least ? "≥" : "≤")} {(target.IsRatio ? $"{target.Value.ToString(CultureInfo.InvariantCulture)} ×" : Number(target.Value, figure.Unit))}";

    public static string Verdict(Figure figure) => figure.Met switch { true => "yes", false => "**no**", null => "–" };
}
