using System.Text;
using System.Text.Json;
using CsCheck;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.S2.Records;
using RealtimeStreams.Dialects.S2.Wire;

namespace RealtimeStreams.Dialects.S2.Tests.Wire;

public sealed class AppendInputTests
{
    private static readonly BatchRules plain = new(TimestampingMode.ClientPrefer, Uncapped: false, Unwraps: false);
    private static readonly BatchRules ofRun = plain with { Unwraps = true };

    private static readonly Gen<Record> records = Gen.Select(
        Gen.Byte.Array[0, 60],
        Gen.Select(Gen.Byte.Array[1, 8], Gen.Byte.Array[0, 8]).Array[0, 3],
        Gen.Nullable(Gen.ULong[0, 2_000_000_000_000]),
        (body, headers, timestamp) => new Record(body, headers, timestamp));

    [Fact]
    public void Protobuf_and_base64_json_of_the_same_append_are_the_same_batch() =>
        Gen.Select(records.Array[1, 8], Gen.Nullable(Gen.ULong[0, 1000]), Gen.Null(Gen.String[Gen.Char.AlphaNumeric, 0, 36])).Sample((some, match, token) =>
        {
            using var fromProto = Good(Proto(some, match, token));
            using var fromJson = Good(Json(some, match, token, base64: true), base64: true);
            return Same(fromProto, fromJson)
                && fromProto.Count == some.Length
                && fromProto.ExpectedIndex == (long?)match
                && fromProto.FencingToken == token;
        });

    [Fact]
    public void Raw_json_is_the_utf8_of_its_strings()
    {
        using var batch = Good("""{"records":[{"body":"h\u00e9\n","headers":[["k","\ud83d\ude00"]],"timestamp":5},{"body":null},{}],"fencing_token":null}"""u8.ToArray());

        Assert.Equal(3, batch.Count);
        Assert.Null(batch.FencingToken);
        Assert.Null(batch.ExpectedIndex);
        Assert.EndsWith("k😀hé\n", Encoding.UTF8.GetString(batch.Bytes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "bad_json")]
    [InlineData("[]", "bad_json")]
    [InlineData("nonsense", "bad_json")]
    [InlineData("{}", "bad_json")]
    [InlineData("""{"records":{}}""", "bad_json")]
    [InlineData("""{"records":[1]}""", "bad_json")]
    [InlineData("""{"records":[{"body":1}]}""", "bad_json")]
    [InlineData("""{"records":[{"body":"\ud800"}]}""", "bad_json")]
    [InlineData("""{"records":[{"timestamp":-1}]}""", "bad_json")]
    [InlineData("""{"records":[{"timestamp":"1"}]}""", "bad_json")]
    [InlineData("""{"records":[{"headers":[["a"]]}]}""", "bad_json")]
    [InlineData("""{"records":[{"headers":[["a","b","c"]]}]}""", "bad_json")]
    [InlineData("""{"records":[{"body":"a"}],"match_seq_num":1.5}""", "bad_json")]
    [InlineData("""{"records":[{"body":"a"}]}{}""", "bad_json")]
    [InlineData("""{"records":[{"body":"a"}],"records":[{"body":"a"}]}""", "bad_json")]
    [InlineData("""{"records":[{"body":"a"}""", "bad_json")]
    [InlineData("""{"records":[]}""", "invalid")]
    [InlineData("""{"records":[{"body":"a"}],"fencing_token":"1234567890123456789012345678901234567"}""", "invalid")]
    [InlineData("""{"records":[{"body":"a","headers":[["","x"]]}]}""", "invalid")]
    [InlineData("""{"records":[{"body":"a","headers":[["","fence"],["a","b"]]}]}""", "invalid")]
    [InlineData("""{"records":[{"body":"1234567","headers":[["","trim"]]}]}""", "invalid")]
    [InlineData("""{"records":[{"body":"1234567890123456789012345678901234567","headers":[["","fence"]]}]}""", "invalid")]
    public void Wrong_json_is_refused_with_the_code_that_says_how(string json, string code) =>
        Assert.Equal(code, Bad(Encoding.UTF8.GetBytes(json)).Code);

    [Fact]
    public void Text_that_is_not_base64_is_refused_where_base64_was_said() =>
        Assert.Equal("bad_json", Bad("""{"records":[{"body":"a-b_c!"}]}"""u8.ToArray(), base64: true).Code);

    [Fact]
    public void No_bytes_break_the_protobuf_reader() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            using var builder = new BatchBuilder(plain);
            var error = AppendInputProto.Read(bytes, builder, out var batch);
            batch?.Dispose();
            return (error is null) == (batch is not null) && error?.Code is null or "bad_proto" or "invalid";
        });

    [Fact]
    public void A_message_that_is_cut_or_changed_anywhere_is_read_or_refused() =>
        Gen.Select(records.Array[1, 3], Gen.Int[0, 10_000], Gen.Byte).Sample((some, at, change) =>
        {
            var good = Proto(some, 3, "token");
            var changed = good.ToArray();
            changed[at % good.Length] = change;
            foreach (var bytes in (byte[][])[changed, good[..(at % good.Length)]])
            {
                using var builder = new BatchBuilder(plain);
                var error = AppendInputProto.Read(bytes, builder, out var batch);
                batch?.Dispose();
                if (error?.Code is not (null or "bad_proto" or "invalid")) return false;
            }
            return true;
        });

    [Theory]
    [InlineData(new byte[] { 0x00 })] // Field 0.
    [InlineData(new byte[] { 0x0B })] // A group.
    [InlineData(new byte[] { 0x08, 0x01 })] // The records as a number.
    [InlineData(new byte[] { 0x0A, 0x05, 0x01 })] // Longer than it is.
    [InlineData(new byte[] { 0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02 })] // More than 64 bits.
    [InlineData(new byte[] { 0x1A, 0x01, 0xFF })] // A token that is no UTF-8.
    public void Protobuf_that_is_none_is_refused(byte[] bytes)
    {
        using var builder = new BatchBuilder(plain);
        Assert.Equal("bad_proto", AppendInputProto.Read(bytes, builder, out _)?.Code);
    }

    [Fact]
    public void Unknown_fields_are_skipped()
    {
        var message = new Message().Number(9, 1).Field(1, new Message().Field(7, [1]).Field(3, "1"u8.ToArray())).Field(15, [1, 2]);

        using var batch = Good(message.Bytes);

        Assert.Equal("1"u8.ToArray(), batch.Bytes.ToArray());
    }

    [Theory]
    [InlineData(1024 * 1024 - 8, true)]
    [InlineData(1024 * 1024 - 7, false)]
    public void A_record_may_measure_one_mebibyte(int body, bool fits)
    {
        using var builder = new BatchBuilder(plain);
        var error = AppendInputProto.Read(Proto([new Record(new byte[body], [], null)], null, null), builder, out var batch);

        Assert.Equal(fits ? null : "invalid", error?.Code);
        batch?.Dispose();
    }

    [Theory]
    [InlineData(1000, true)]
    [InlineData(1001, false)]
    public void A_batch_may_have_a_thousand_records(int count, bool fits)
    {
        using var builder = new BatchBuilder(plain);
        var error = AppendInputProto.Read(Proto([.. Enumerable.Repeat(new Record([1], [], null), count)], null, null), builder, out var batch);

        Assert.Equal(fits ? null : "invalid", error?.Code);
        batch?.Dispose();
    }

    [Fact]
    public void Commands_are_noted_beside_their_records()
    {
        using var batch = Good(Proto(
            [
                new Record("x"u8.ToArray(), [], null),
                new Record("alice"u8.ToArray(), [([], "fence"u8.ToArray())], null),
                new Record([0, 0, 0, 0, 0, 0, 1, 2], [([], "trim"u8.ToArray())], null),
                new Record([255, 255, 255, 255, 255, 255, 255, 255], [([], "trim"u8.ToArray())], null),
            ],
            null,
            ""));

        Assert.Equal(4, batch.Count);
        Assert.Equal("alice", batch.NewFencingToken);
        Assert.Equal((long.MaxValue, 3), batch.Trim);
        Assert.Equal("", batch.FencingToken);
    }

    [Theory]
    [InlineData("""{"data":{"a":1},"id":"abc1234"}""", """{"a":1}""")]
    [InlineData("""{"data":"x\",\"id\":\"no\"}","id":"k"}""", "\"x\\\",\\\"id\\\":\\\"no\\\"}\"")]
    [InlineData("""{"data":null,"id":"a b"}""", "null")]
    [InlineData("""{"data":[1,2],"id":"1234567890123456789012345678901234567890123456789012345678901234"}""", "[1,2]")]
    public void An_envelope_in_a_runs_stream_is_the_chunk_in_it(string body, string chunk)
    {
        using var batch = Good(Proto([new Record(Encoding.UTF8.GetBytes(body), [], null)], null, null), rules: ofRun);

        Assert.EndsWith(chunk, Encoding.UTF8.GetString(batch.Bytes), StringComparison.Ordinal);
        Assert.False(batch.Bytes.EndsWith("}"u8) && chunk[^1] != '}');
        Assert.StartsWith("s2:", batch.IdempotencyKey, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"data":1,"id":""}""")]
    [InlineData("""{"data":1,"id":"12345678901234567890123456789012345678901234567890123456789012345"}""")]
    [InlineData("""{"data":1,"id":"a\"b"}""")]
    [InlineData("""{"data":1,"id":"é"}""")]
    [InlineData("""{"data": 1,"id":"a"}""")]
    [InlineData("""{"data":1 ,"id":"a"}""")]
    [InlineData("""{"data":1,"more":2,"id":"a"}""")]
    [InlineData("""{"data":,"id":"a"}""")]
    [InlineData("""{"data":x,"id":"a"}""")]
    [InlineData("""{"id":"a","data":1}""")]
    [InlineData("""{"data":1,"id":"a"} """)]
    [InlineData("{\"data\":[1,\n2],\"id\":\"a\"}")]
    [InlineData("plain")]
    [InlineData("")]
    public void What_would_not_come_back_byte_for_byte_is_kept_as_it_is(string body)
    {
        using var batch = Good(Proto([new Record(Encoding.UTF8.GetBytes(body), [], null)], null, null), rules: ofRun);

        Assert.Equal(body, Encoding.UTF8.GetString(batch.Bytes));
        Assert.Null(batch.IdempotencyKey);
    }

    [Fact]
    public void Outside_of_runs_nothing_is_unwrapped()
    {
        const string body = """{"data":1,"id":"a"}""";
        using var batch = Good(Proto([new Record(Encoding.UTF8.GetBytes(body), [], null)], null, null));

        Assert.Equal(body, Encoding.UTF8.GetString(batch.Bytes));
        Assert.Null(batch.IdempotencyKey);
    }

    [Fact]
    public void Only_the_very_same_batch_is_taken_for_a_repeat()
    {
        string?[] keys = [.. ((string[])["""{"data":1,"id":"a"}""", """{"data":1,"id":"a"}""", """{"data":2,"id":"a"}""", """{"data":1,"id":"b"}"""]).Select(body =>
        {
            using var batch = Good(Proto([new Record(Encoding.UTF8.GetBytes(body), [], null)], null, null), rules: ofRun);
            return batch.IdempotencyKey;
        })];

        Assert.Equal(keys[0], keys[1]);
        Assert.Equal(3, keys.Distinct().Count());
    }

    [Fact]
    public void A_stream_that_requires_timestamps_refuses_records_without()
    {
        using var builder = new BatchBuilder(plain with { Mode = TimestampingMode.ClientRequire });

        Assert.Equal("invalid", AppendInputProto.Read(Proto([new Record([1], [], null)], null, null), builder, out _)?.Code);
        Assert.Null(AppendInputProto.Read(Proto([new Record([1], [], 5)], null, null), builder, out var batch));
        batch!.Dispose();
    }

    [Fact]
    public void Reading_allocates_nothing_for_a_record()
    {
        var one = Proto([new Record(new byte[50], [([1], [2])], 7)], null, null);
        var many = Proto([.. Enumerable.Repeat(new Record(new byte[50], [([1], [2])], 7), 1000)], null, null);
        using var builder = new BatchBuilder(plain);
        Take(many);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Take(one);
        var ofOne = GC.GetAllocatedBytesForCurrentThread() - before;
        before = GC.GetAllocatedBytesForCurrentThread();
        Take(many);
        var ofMany = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.True(ofMany <= ofOne + 1000, $"A batch of one record allocates {ofOne} bytes, one of a thousand {ofMany}.");

        void Take(byte[] message)
        {
            Assert.Null(AppendInputProto.Read(message, builder, out var batch));
            batch!.Dispose();
        }
    }

    private static ChunkBatch Good(byte[] input, bool base64 = false, BatchRules? rules = null)
    {
        using var builder = new BatchBuilder(rules ?? plain);
        var error = Read(input, base64, builder, out var batch);
        Assert.True(error is null, error is null ? "" : Encoding.UTF8.GetString(error.Body.Span));
        return batch!;
    }

    private static S2Error Bad(byte[] input, bool base64 = false)
    {
        using var builder = new BatchBuilder(plain);
        var error = new AppendInputJson(builder, base64).Read(input, out var batch);
        Assert.Null(batch);
        return error!;
    }

    private static S2Error? Read(byte[] input, bool base64, BatchBuilder builder, out ChunkBatch? batch) =>
        base64 || input is [(byte)'{', ..] ? new AppendInputJson(builder, base64).Read(input, out batch) : AppendInputProto.Read(input, builder, out batch);

    private static bool Same(ChunkBatch first, ChunkBatch second) =>
        first.Bytes.SequenceEqual(second.Bytes)
        && first.Ends.SequenceEqual(second.Ends)
        && (first.ExpectedIndex, first.FencingToken, first.NewFencingToken, first.Trim) == (second.ExpectedIndex, second.FencingToken, second.NewFencingToken, second.Trim);

    private static byte[] Proto(Record[] some, ulong? match, string? token)
    {
        var input = new Message();
        foreach (var record in some)
        {
            var message = new Message();
            if (record.Timestamp is { } timestamp) message.Number(1, timestamp);
            foreach (var (name, value) in record.Headers) message.Field(2, new Message().Field(1, name).Field(2, value));
            input.Field(1, message.Field(3, record.Body));
        }
        if (match is { } number) input.Number(2, number);
        if (token is not null) input.Field(3, Encoding.UTF8.GetBytes(token));
        return input.Bytes;
    }

    private static byte[] Json(Record[] some, ulong? match, string? token, bool base64) => JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object?>
    {
        ["match_seq_num"] = match,
        ["records"] = some.Select(record => new Dictionary<string, object?>
        {
            ["timestamp"] = record.Timestamp,
            ["body"] = Text(record.Body, base64),
            ["headers"] = record.Headers.Select(header => (string[])[Text(header.Name, base64), Text(header.Value, base64)]),
        }),
        ["fencing_token"] = token,
    });

    private static string Text(byte[] bytes, bool base64) => base64 ? Convert.ToBase64String(bytes) : Encoding.UTF8.GetString(bytes);

    private sealed record Record(byte[] Body, (byte[] Name, byte[] Value)[] Headers, ulong? Timestamp);
}
