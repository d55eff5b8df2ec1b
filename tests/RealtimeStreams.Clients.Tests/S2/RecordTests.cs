using System.Text.Json;
using RealtimeStreams.EndToEnd.Tests;

namespace RealtimeStreams.Clients.Tests.S2;

/// <summary>Unary appends and reads, conditions, commands and limits.</summary>
public sealed class RecordTests(SharedServer shared, NodePackages node) : S2ScenarioTests(shared, node, "s2/records.mjs")
{
    [Theory, MemberData(nameof(EachVersion))]
    public async Task Texts_bytes_and_headers_come_back_as_they_were(string version)
    {
        var result = await RunAsync("append", new { version, basin = Basin, name = NewName() });

        Assert.Equal([(0, 2, 2), (2, 3, 3), (3, 4, 4), (4, 6, 6)], result.GetProperty("acks").EnumerateArray().Select(Range));
        Assert.Equal(6, result.GetProperty("tail")[0].GetInt64());
        var text = Records(result.GetProperty("asText"));
        Assert.Equal(["first", "", """{"json":"ä"}"""], text.Select(record => record.GetProperty("body").GetString()));
        Assert.Equal("""[["kind","note"],["kind","twice"],["empty",""]]""", text[2].GetProperty("headers").GetRawText());
        var bytes = Records(result.GetProperty("asBytes"));
        Assert.Equal([0, 1, 2, 3, 4, 5], bytes.Select(record => record.GetProperty("seqNum").GetInt32()));
        Assert.Equal(new byte[] { 0, 255, 254, 10 }, bytes[3].GetProperty("body").GetProperty("base64").GetBytesFromBase64());
        Assert.Equal(new byte[] { 128, 0 }, bytes[3].GetProperty("headers")[0][1].GetProperty("base64").GetBytesFromBase64());
        Assert.Equal("text beside bytes"u8.ToArray(), bytes[4].GetProperty("body").GetProperty("base64").GetBytesFromBase64());
        Assert.Equal(6, result.GetProperty("asBytes").GetProperty("tail")[0].GetInt64());
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task Timestamps_are_the_clients_but_never_later_than_arrival_and_never_going_back(string version)
    {
        var result = await RunAsync("timestamps", new { version, basin = Basin, name = NewName() });

        var given = Numbers(result.GetProperty("given"));
        var read = Numbers(result.GetProperty("read"));
        Assert.Equal([given[0], given[1], given[1]], read[..3]);
        Assert.InRange(read[3], result.GetProperty("now").GetInt64(), result.GetProperty("after").GetInt64());
        Assert.Equal([4, read[3]], Numbers(result.GetProperty("tail")));
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task Reads_begin_and_end_where_they_are_told(string version)
    {
        var result = await RunAsync("positions", new { version, basin = Basin, name = NewName() });

        Bodies("fromStart", 0, 10, tail: 10);
        Bodies("fromSeven", 7, 3, tail: 10);
        Bodies("fromTime", 4, 6, tail: 10);
        Bodies("betweenTimes", 5, 5, tail: 10);
        Bodies("fromOffset", 7, 3, tail: 10);
        Bodies("offsetBeyond", 0, 10, tail: 10);
        Bodies("count", 2, 3);
        Bodies("countBeyond", 8, 2, tail: 10);
        Bodies("bytes", 0, 3);
        Bodies("bytesTooFew", 0, 0);
        Bodies("until", 0, 3);
        Bodies("waitAtTail", 10, 0);
        Bodies("beyondClamped", 10, 0);
        AssertError(result.GetProperty("untilBeforeStart"), 422, "invalid");
        foreach (var name in new[] { "atTail", "atTailClamped", "beyond", "timeBeyond", "noStart" })
        {
            AssertError(result.GetProperty(name), 416, kind: "RangeNotSatisfiableError");
            Assert.Equal(10, result.GetProperty(name).GetProperty("tail")[0].GetInt64());
        }

        void Bodies(string name, int first, int count, int? tail = null)
        {
            var value = Value(result.GetProperty(name));
            Assert.Equal(Enumerable.Range(first, count).Select(i => $"{i}"), Strings(value.GetProperty("bodies")));
            if (tail is not null) Assert.Equal(tail, value.GetProperty("tail").GetInt32());
        }
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task A_read_that_waits_answers_when_something_comes(string version)
    {
        var run = await RegisterAsync();
        await using var scenario = Start("waiting", new { version, basin = Basin, name = NameOf(run, "log") });
        await scenario.SaidAsync("waiting");

        await Api.AppendAsync(run, "log", "\"came\"");
        scenario.Tell();

        var outcome = await scenario.ResultAsync();
        var record = Assert.Single(Records(Value(outcome)));
        Assert.Equal((1, "\"came\""), (record.GetProperty("seqNum").GetInt32(), record.GetProperty("body").GetString()));
        Assert.InRange(outcome.GetProperty("milliseconds").GetDouble(), 0, 20_000);
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task Conditions_hold_and_their_failures_say_what_was_expected(string version)
    {
        var result = await RunAsync("conditions", new { version, basin = Basin, name = NewName() });

        foreach (var name in new[] { "first", "second", "emptyToken", "fenced", "withToken", "withoutToken", "fencedAgain" }) Value(result.GetProperty(name));
        Number("repeated", 1);
        Token("unknownToken", "");
        Token("wrongToken", "alice");
        Token("wrongBoth", "alice"); // The token is looked at first.
        Number("tokenThenNumber", 6);
        Token("oldToken", "bob");
        Assert.Equal(7, result.GetProperty("tail")[0].GetInt32());
        Assert.Equal(["a", "b", "c", "alice", "e", "f", "bob"], Records(result.GetProperty("read")).Select(record => record.GetProperty("body").GetString()));
        Assert.Equal([0, 1, 2, 4, 5], Records(result.GetProperty("withoutCommands")).Select(record => record.GetProperty("seqNum").GetInt32()));

        void Number(string name, int expected)
        {
            AssertError(result.GetProperty(name), 412, kind: "SeqNumMismatchError");
            Assert.Equal(expected, result.GetProperty(name).GetProperty("expectedSeqNum").GetInt32());
        }

        void Token(string name, string expected)
        {
            AssertError(result.GetProperty(name), 412, kind: "FencingTokenMismatchError");
            Assert.Equal(expected, result.GetProperty(name).GetProperty("expectedFencingToken").GetString());
        }
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task Trimming_removes_what_is_before_and_moves_no_number(string version)
    {
        var result = await RunAsync("trimming", new { version, basin = Basin, name = NewName() });

        Assert.Equal((10, 11, 11), Range(result.GetProperty("trimmed")));
        Assert.Equal(["[6,\"6\"]", "[7,\"7\"]", "[8,\"8\"]", "[9,\"9\"]"], Texts(result.GetProperty("kept")));
        // The last command trimmed itself too: nothing is left to read.
        AssertError(result.GetProperty("left"), 416, kind: "RangeNotSatisfiableError");
        Assert.Equal(13, result.GetProperty("tail")[0].GetInt32());
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task Batches_up_to_the_limit_are_taken_and_bad_commands_are_not(string version)
    {
        var result = await RunAsync("limits", new { version, basin = Basin, name = NewName() });

        Assert.Equal((0, 1, 1), Range(Value(result.GetProperty("largest"))));
        Assert.Equal((1, 2, 2), Range(Value(result.GetProperty("largestBytes"))));
        Assert.Equal((2, 1002, 1002), Range(Value(result.GetProperty("most"))));
        Assert.Equal((1024 * 1024) - 8, result.GetProperty("read").GetInt32());
        foreach (var name in new[] { "unnamed", "unnamedAmongOthers", "longToken", "shortTrim" }) AssertError(result.GetProperty(name), 422, "invalid");
    }

    private static List<JsonElement> Records(JsonElement batch) => [.. batch.GetProperty("records").EnumerateArray()];
}
