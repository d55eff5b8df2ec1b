using System.Diagnostics;
using System.Text.Json;
using RealtimeStreams.Benchmarks;
using RealtimeStreams.Benchmarks.Baseline;
using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Benchmarks.Product;
using RealtimeStreams.Benchmarks.Reporting;
using RealtimeStreams.Testing;

if (args is [WeighedServer.Word, ..]) return await WeighedServer.RunAsync(args[1..]);
if (!BenchmarkOptions.TryParse(args, out var options, out var fault))
{
    Console.Error.WriteLine(fault);
    Console.Error.WriteLine(BenchmarkOptions.Usage);
    return 2;
}
var rows = AllRows.InOrder.Where(row => options.Wants(row.Id)).ToList();
if (options.List || rows.Count == 0)
{
    foreach (var row in AllRows.InOrder) Console.WriteLine($"{row.Id,-28} {row.Title}");
    return options.List ? 0 : 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
var began = Stopwatch.GetTimestamp();
var machine = Machine.Describe(await AskVersionAsync(stop.Token));
var reports = new List<RowReport>();
await using var stage = new Stage(options.Quick);
foreach (var row in rows)
{
    stop.Token.ThrowIfCancellationRequested();
    var report = await MeasureAsync(row, new RowContext(options.Quick, options.Rounds, stage), stop.Token);
    reports.Add(report);
    Terminal.Write(report);
}

var command = string.Join(' ', ["dotnet run -c Release --project tests/RealtimeStreams.Benchmarks", .. args.Length == 0 ? args : ["--", .. args]]);
var run = new RunReport(command, machine, options.Rounds, options.Quick, Stopwatch.GetElapsedTime(began).TotalSeconds, reports);
Console.WriteLine();
Console.WriteLine($"{reports.Sum(row => row.Figures.Count(figure => figure.Met == true))} targets met, "
    + $"{reports.Sum(row => row.Figures.Count(figure => figure.Met == false))} missed, {reports.Count(row => row.Failure is not null)} rows not measured; {run.Seconds:0} s");
if (Output.Find(options) is { } path)
{
    await File.WriteAllTextAsync(path + ".md", Markdown.Of(run), stop.Token);
    await File.WriteAllTextAsync(path + ".json", JsonSerializer.Serialize(run, ReportJson.Default.RunReport) + "\n", stop.Token);
    Console.WriteLine($"Written: {path}.md and {path}.json");
}
// A missed target is a finding, not a failure of the run; a row that cannot be measured is.
return reports.Any(row => row.Failure is not null) ? 1 : 0;

static async Task<RowReport> MeasureAsync(Row row, RowContext context, CancellationToken cancellationToken)
{
    var began = Stopwatch.GetTimestamp();
    IReadOnlyList<Figure> figures = [];
    string? failure = null;
    try
    {
        figures = await row.MeasureAsync(context, cancellationToken);
    }
    catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
    {
        // The other rows can still be measured; this one says why it was not.
        failure = $"{exception.GetType().Name}: {exception.Message}";
        Console.Error.WriteLine(exception);
    }
    return new RowReport(row.Id, row.Title, row.Baseline, figures, failure, context.Notes, Stopwatch.GetElapsedTime(began).TotalSeconds);
}

static async Task<string> AskVersionAsync(CancellationToken cancellationToken)
{
    await using var broker = await TestBroker.StartAsync(cancellationToken: cancellationToken);
    await using var plain = await PlainStream.CreateAsync(broker, cancellationToken);
    return plain.ServerVersion;
}
