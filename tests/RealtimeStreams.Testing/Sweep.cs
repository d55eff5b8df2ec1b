using System.Globalization;

namespace RealtimeStreams.Testing;

/// <summary>How long the random tests search. Set REALTIMESTREAMS_SWEEP to a number of rounds, and each of them searches so many times as long.</summary>
public static class Sweep
{
    /// <summary>The variable's name.</summary>
    public const string Variable = "REALTIMESTREAMS_SWEEP";

    /// <summary>The rounds: 1 unless the variable says otherwise.</summary>
    public static int Rounds { get; } =
        int.TryParse(Environment.GetEnvironmentVariable(Variable), NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) && rounds > 0 ? rounds : 1;

    /// <summary>A seed for each round: the given one first, so that the usual run is the same everywhere, then new ones.</summary>
    public static IEnumerable<int> Seeds(int first)
    {
        yield return first;
        for (var round = 1; round < Rounds; round++) yield return Random.Shared.Next();
    }
}
