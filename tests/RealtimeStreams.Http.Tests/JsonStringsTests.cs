using System.Text;
using System.Text.Json;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Http.Tests;

public sealed class JsonStringsTests
{
    [Theory]
    [InlineData("""{"a":["b",1,true,null]}""", true)]
    [InlineData("\"ä€😀\"", true)]
    [InlineData("""  "\ud83d\uDE00\uD83D\ude00"  """, true)]
    [InlineData("""  "\\ud800"  """, true)]
    [InlineData("""  "\\\\ud800\n\"\/\u0000\ud7ff\ue000\uffff"  """, true)]
    [InlineData("""  "\ud800"  """, false)]
    [InlineData("""  "\\\ud800"  """, false)]
    [InlineData("""  "\uDFFF"  """, false)]
    [InlineData("""  "\ud83d\ud83d\ude00"  """, false)]
    [InlineData("""  "\ude00\ud83d"  """, false)]
    [InlineData("""  "\ud83d\\ude00"  """, false)]
    [InlineData("""  "\ud83d\n\ude00"  """, false)]
    [InlineData("""  "\ud83dude00"  """, false)]
    [InlineData("""  ["\ud83d","\ude00"]  """, false)]
    [InlineData("""  {"\ud800":1}  """, false)]
    [InlineData("""  {"a":{"b":[1,{"c":"\udbff"}]}}  """, false)]
    public void Halves_of_characters_are_found_wherever_they_are(string json, bool areText)
    {
        Assert.Equal(areText, JsonStrings.AreText(Encoding.UTF8.GetBytes(json)));
        using var document = JsonDocument.Parse(json);
        Assert.Equal(areText, JsonStrings.AreText(document.RootElement));
    }

    [Fact]
    public void Bytes_that_are_no_utf8_are_found()
    {
        Assert.False(JsonStrings.AreText([(byte)'"', 0xff, (byte)'"']));
        Assert.False(JsonStrings.AreText([(byte)'"', 0xed, 0xa0, 0x80, (byte)'"'])); // A surrogate as it must not be written.
    }

    [Fact]
    public void It_says_yes_to_exactly_the_strings_that_the_parser_gives()
    {
        string[] parts = ["\\ud83d", "\\ude00", "\\uDBFF", "\\uDC00", "\\u0041", "\\\\", "\\n", "u", "ud83d", "ä", "\\\""];
        var random = new Random(11);
        var (yes, no) = (0, 0);
        for (var i = 0; i < 20_000; i++)
        {
            var text = $"\"{string.Concat(random.GetItems(parts, random.Next(5)))}\"";
            var given = true;
            using var document = JsonDocument.Parse(text);
            try
            {
                document.RootElement.GetString();
            }
            catch (InvalidOperationException)
            {
                given = false;
            }

            Assert.True(given == JsonStrings.AreText(Encoding.UTF8.GetBytes(text)), text);
            _ = given ? yes++ : no++;
        }
        Assert.True(yes > 1000 && no > 1000, $"{yes} and {no}");
    }

    [Fact]
    public void It_throws_at_nothing()
    {
        var random = new Random(12);
        var alphabet = "\\\\\\uuudD8c0f\"{"u8.ToArray();
        for (var i = 0; i < 20_000; i++) JsonStrings.AreText(random.GetItems(alphabet, random.Next(12)));
    }
}
