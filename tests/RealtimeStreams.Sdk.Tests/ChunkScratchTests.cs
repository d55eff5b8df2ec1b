using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;
using RealtimeStreams.Sdk.Json;

namespace RealtimeStreams.Sdk.Tests;

public sealed class ChunkScratchTests
{
    [Fact]
    public void A_contract_that_indents_still_gives_one_line() =>
        Assert.Equal("""{"step":"a","percent":3}""", Write(TestJson.Default.Progress, new Progress("a", 3)));

    [Fact]
    public void Line_breaks_of_a_converter_become_spaces()
    {
        var options = new JsonSerializerOptions { Converters = { new RawConverter() }, TypeInfoResolver = new DefaultJsonTypeInfoResolver() };
        Assert.Equal("{ \"a\": 1  }", Write((JsonTypeInfo<Version>)options.GetTypeInfo(typeof(Version)), new Version()));
    }

    [Fact]
    public void Texts_keep_their_line_breaks_escaped() =>
        Assert.Equal("\"a\\nb\\r\\u2028\"", Write(PlainJson.Default.String, "a\nb\r\u2028"));

    [Fact]
    public void Chunks_follow_each_other_in_the_same_memory_also_after_a_large_one()
    {
        var scratch = new ChunkScratch<string>(PlainJson.Default.String);
        foreach (var length in new[] { 1, 300_000, 2, 0 })
            Assert.Equal(length + 2, scratch.Write(new string('x', length)).Length);
    }

    [Fact]
    public void Chat_updates_have_a_contract_without_reflection()
    {
        var contract = new ChunkJson(null).Get(RealtimeStream.Define<ChatResponseUpdate>("chat"));
        var written = Write(contract, new ChatResponseUpdate(ChatRole.Assistant, "hello") { MessageId = "m1" });

        Assert.DoesNotContain('\n', written);
        var back = JsonSerializer.Deserialize(written, contract)!;
        Assert.Equal("hello", back.Text);
        Assert.Equal("m1", back.MessageId);
    }

    [Fact]
    public void The_definitions_contract_comes_before_the_clients_and_without_any_the_type_is_refused()
    {
        var json = new ChunkJson(new JsonSerializerOptions { TypeInfoResolver = TestJson.Default });

        Assert.Same(TestJson.Default.Progress, json.Get(RealtimeStream.Define("p", TestJson.Default.Progress)));
        Assert.Equal("{\"Step\":\"a\",\"Percent\":3}", Write(json.Get(RealtimeStream.Define<Progress>("p")), new Progress("a", 3)));
        var fault = Assert.Throws<NotSupportedException>(() => json.Get(RealtimeStream.Define<Anything>("p")));
        Assert.Contains("RealtimeStream.Define", fault.Message, StringComparison.Ordinal);
    }

    private static string Write<T>(JsonTypeInfo<T> contract, T chunk) => Encoding.UTF8.GetString(new ChunkScratch<T>(contract).Write(chunk).Span);

    private sealed record Anything(int Major);

    private sealed class RawConverter : JsonConverter<Version>
    {
        public override Version Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, Version value, JsonSerializerOptions options) => writer.WriteRawValue("{\n\"a\": 1\r\n}");
    }
}
