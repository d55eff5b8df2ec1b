using CsCheck;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Tests.Histories;

/// <summary>One thing that happens to a stream. Sequences are relative to what the stream expects then, so that most of a history makes sense.</summary>
/// <param name="Minutes">How much later it happens than the step before; more than 0 also begins a new record.</param>
/// <param name="NewRecord">Whether what came before is stored first.</param>
/// <param name="End">Ends the stream; null: appends.</param>
/// <param name="Producer">Its number; negative: none.</param>
/// <param name="Epoch">The producer's epoch.</param>
/// <param name="Shift">How far the first sequence is from the expected one: negative repeats, positive leaves a gap.</param>
/// <param name="Sizes">The chunks' bytes.</param>
/// <param name="Key">The number of its idempotency key; negative: none.</param>
/// <param name="Special">What other dialects bring; null: nothing.</param>
internal sealed record Step(int Minutes, bool NewRecord, Outcome? End, int Producer, uint Epoch, int Shift, int[] Sizes, int Key, Special? Special = null)
{
    public string? IdempotencyKey => Key < 0 ? null : $"key-{Key}-ключ";

    public ProducerId? ProducerId => Producer < 0 ? null : Protocol.ProducerId.Parse($"p{Producer}é");

    public override string ToString() =>
        $"({Minutes}, {NewRecord}, {End?.ToString() ?? "null"}, {Producer}, {Epoch}, {Shift}, [{string.Join(", ", Sizes)}], {Key}, {Special})";
}

/// <summary>What a batch of another dialect has.</summary>
/// <param name="Forms">Whether its chunks have forms and attributes.</param>
/// <param name="Times">Own timestamps of its chunks in turn, in milliseconds around the beginning of the history; 0: none.</param>
/// <param name="Uncapped">Whether they may be later than the arrival.</param>
/// <param name="Index">Which index it expects, relative to the right one; null: any.</param>
/// <param name="Token">The number of the fencing token that it expects; negative: any.</param>
/// <param name="NewToken">The number of the fencing token that it sets; negative: none.</param>
/// <param name="Trim">What it gives up, relative to the stream's next index; null: nothing.</param>
internal sealed record Special(bool Forms, int[] Times, bool Uncapped, int? Index, int Token, int NewToken, int? Trim)
{
    public static string? TokenOf(int number) => number switch { < 0 => null, 0 => "", _ => $"token-{number}-é" };

    public override string ToString() => $"forms {Forms}, times [{string.Join(", ", Times)}], {Uncapped}, index {Index}, token {Token}, sets {NewToken}, trims {Trim}";
}

/// <summary>A stream's whole history, and its limits.</summary>
internal sealed record History(StreamLimits Limits, string? Address, Step[] Steps)
{
    public override string ToString() => $"{Limits}{(Address is null ? "" : ", digested")}:\n{string.Join<Step>('\n', Steps)}";
}

internal static class AnyHistory
{
    private static readonly Gen<int[]> Sizes = Gen.Frequency((20, Gen.Int[0, 12].Array[1, 4]), (1, Gen.Int[0, 400].Array[1, 300]), (1, Gen.Int[20_000, 70_000].Array[1, 2]));

    private static readonly Gen<int> Shift = Gen.Frequency((12, Gen.Const(0)), (5, Gen.Int[-6, -1]), (1, Gen.Int[1, 3]));

    /// <summary>Of few producers, so that they meet; or of more than a stream remembers.</summary>
    public static readonly Gen<History> OfFewProducers = Make(Gen.Int[-1, 3], 40);

    public static readonly Gen<History> OfManyProducers = Make(Gen.Int[-1, 80], 300);

    private static Gen<History> Make(Gen<int> producer, int length)
    {
        var end = Gen.Frequency((40, Gen.Const((Outcome?)null)), (1, Gen.Int[1, 4].Select(outcome => (Outcome?)outcome)));
        var time = Gen.Frequency((6, Gen.Const(0)), (1, Gen.Int[1, 4]));
        var special = Gen.Select(
            Gen.Select(Gen.Bool, Gen.OneOf(Gen.Const(Array.Empty<int>()), Gen.Int[-120_000, 600_000].Array[1, 4], Gen.Const((int[])[5, 0])), Gen.Bool),
            Gen.Frequency((4, Gen.Const((int?)null)), (3, Gen.Const((int?)0)), (1, Gen.Int[-2, 2].Select(shift => (int?)shift))),
            Gen.Frequency((3, Gen.Const(-1)), (2, Gen.Int[0, 2])),
            Gen.Frequency((3, Gen.Const(-1)), (1, Gen.Int[0, 2])),
            Gen.Frequency((3, Gen.Const((int?)null)), (1, Gen.Int[-8, 6].Select(shift => (int?)shift))),
            (how, index, token, newToken, trim) => (Special?)new Special(how.Item1, how.Item2, how.Item3, index, token, newToken, trim));
        var step = Gen.Select(
            Gen.Select(time, Gen.Bool, end),
            Gen.Select(producer, Gen.UInt[0, 2], Shift),
            Sizes,
            Gen.Frequency((5, Gen.Const(-1)), (2, Gen.Int[0, 5])),
            Gen.Frequency((2, Gen.Const((Special?)null)), (1, special)),
            (when, who, sizes, key, extra) => new Step(when.Item1, when.Item2 || when.Item1 > 0, when.Item3, who.Item1, who.Item2, who.Item3, sizes, key, extra));
        var limits = Gen.Frequency(
            (3, Gen.Const(new StreamLimits(long.MaxValue, long.MaxValue))),
            (1, Gen.Select(Gen.Long[0, 600], Gen.Long[0, 60], (bytes, chunks) => new StreamLimits(bytes, chunks))));
        return Gen.Select(limits, Gen.Bool, step.Array[0, length], (limit, hashed, steps) => new History(limit, hashed ? "env\0run\0ключ" : null, steps));
    }
}
