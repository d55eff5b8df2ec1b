using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace RealtimeStreams.Benchmarks;

/// <summary>What the command line says.</summary>
internal sealed record BenchmarkOptions
{
    public const string Usage = """
        dotnet run -c Release --project tests/RealtimeStreams.Benchmarks -- [options]
          --rows a,b,c     only these rows (see --list); a word that ends in * stands for all that begin with it
          --rounds n       measured rounds a row, 1 to 50; default 5, with --quick 1
          --quick          a look in a minute or two: fewer, shorter rounds, smaller fillings
          --output path    writes path.md and path.json; a full run without it writes docs/benchmarks, any other writes nothing
          --list           the rows
        """;

    public IReadOnlyList<string> Rows { get; private init; } = [];

    public int Rounds { get; private init; } = 5;

    public bool Quick { get; private init; }

    public string? Output { get; private init; }

    public bool List { get; private init; }

    /// <summary>Whether this is the run that the documentation holds.</summary>
    public bool IsFull => Rows.Count == 0 && !Quick;

    public bool Wants(string row) =>
        Rows.Count == 0 || Rows.Any(word => word.EndsWith('*') ? row.StartsWith(word[..^1], StringComparison.Ordinal) : row == word);

    public static bool TryParse(string[] args, [NotNullWhen(true)] out BenchmarkOptions? options, [NotNullWhen(false)] out string? fault)
    {
        options = null;
        fault = null;
        var parsed = new BenchmarkOptions();
        int? rounds = null;
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--rows" when value is not null:
                    parsed = parsed with { Rows = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) };
                    i++;
                    break;
                case "--rounds" when int.TryParse(value, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= 50:
                    rounds = count;
                    i++;
                    break;
                case "--output" when value is not null:
                    parsed = parsed with { Output = value };
                    i++;
                    break;
                case "--quick":
                    parsed = parsed with { Quick = true };
                    break;
                case "--list":
                    parsed = parsed with { List = true };
                    break;
                default:
                    fault = $"'{args[i]}' is not understood.";
                    return false;
            }
        }
        options = parsed with { Rounds = rounds ?? (parsed.Quick ? 1 : parsed.Rounds) };
        return true;
    }
}
