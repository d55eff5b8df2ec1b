using System.Buffers;
using System.Text;
using System.Text.Json;
using CsCheck;
using RealtimeStreams.Testing;

namespace RealtimeStreams.ChunkLog.Tests;

public sealed class ChunkFormsTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("{}", ChunkForm.Json)]
    [InlineData(" {\"a\": [1, null]}\t", ChunkForm.Json)]
    [InlineData("\"a\\nb\"", ChunkForm.Json)]
    [InlineData("-1.5e7", ChunkForm.Json)]
    [InlineData("true", ChunkForm.Json)]
    [InlineData("{\n\"a\":\r\n1}", ChunkForm.SpacedJson)]
    [InlineData("1\n", ChunkForm.SpacedJson)]
    [InlineData("", ChunkForm.Text)]
    [InlineData(" \n", ChunkForm.Text)]
    [InlineData("hello", ChunkForm.Text)]
    [InlineData("the", ChunkForm.Text)]
    [InlineData("True", ChunkForm.Text)]
    [InlineData("01", ChunkForm.Text)]
    [InlineData("1 2", ChunkForm.Text)]
    [InlineData("{} {}", ChunkForm.Text)]
    [InlineData("{\"a\":1,}", ChunkForm.Text)]
    [InlineData("[1 // one\n]", ChunkForm.Text)]
    [InlineData("\"", ChunkForm.Text)]
    [InlineData("\"a\nb\"", ChunkForm.Text)]
    [InlineData("\uFEFF{}", ChunkForm.Text)]
    public void Bytes_are_what_they_are(string body, ChunkForm form) => Assert.Equal(form, ChunkForms.Of(Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void Json_may_be_64_deep_and_bytes_that_are_no_UTF8_are_binary()
    {
        Assert.Equal(ChunkForm.Json, ChunkForms.Of(Encoding.UTF8.GetBytes(new string('[', 64) + new string(']', 64))));
        Assert.Equal(ChunkForm.Text, ChunkForms.Of(Encoding.UTF8.GetBytes(new string('[', 65) + new string(']', 65))));
        Assert.Equal(ChunkForm.Binary, ChunkForms.Of([(byte)'"', 0xFF, (byte)'"']));
        Assert.Equal(ChunkForm.Binary, ChunkForms.Of([0xC3]));
    }

    [Fact]
    public void Every_body_is_one_line_of_json_that_says_what_it_was() => Gen.OneOf(
        Gen.Byte.Array[0, 40],
        Gen.String[0, 20].Select(Encoding.UTF8.GetBytes),
        Gen.Char["\"\\\n\r\t {}[]1tä\u0001"].Array[0, 20].Select(characters => Encoding.UTF8.GetBytes(characters)))
        .Sample(
            body =>
            {
                var form = ChunkForms.Of(body);
                var line = new ArrayBufferWriter<byte>();
                ChunkForms.WriteJson(form, body, line);
                Assert.False(line.WrittenSpan.ContainsAny((byte)'\r', (byte)'\n'));
                using var json = JsonDocument.Parse(line.WrittenMemory);
                if (form == ChunkForm.Text) Assert.Equal(body, Encoding.UTF8.GetBytes(json.RootElement.GetString()!));
                else if (form == ChunkForm.Binary) Assert.Equal(body, json.RootElement.GetBytesFromBase64());
                else Assert.True(JsonElement.DeepEquals(JsonElement.Parse(body), json.RootElement));
                if (form == ChunkForm.Json) Assert.Equal(body, line.WrittenSpan);
            },
            output.WriteLine,
            iter: 10_000 * Sweep.Rounds);
}
