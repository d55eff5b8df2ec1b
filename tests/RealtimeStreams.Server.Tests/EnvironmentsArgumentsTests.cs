using RealtimeStreams.Server.Operating;

namespace RealtimeStreams.Server.Tests;

public sealed class EnvironmentsArgumentsTests
{
    [Fact]
    public void Operands_options_and_settings_are_told_apart()
    {
        var (asked, fault) = EnvironmentsArguments.Read(
            ["--RealtimeStreams:DataDirectory", "/data", "rotate-key", "ä b", "--json", "key_1", "--overlap", "1.00:00:00", "--ConnectionStrings:registry=Host=db"]);

        Assert.Null(fault);
        Assert.NotNull(asked);
        Assert.Equal(("rotate-key", "ä b", "key_1", TimeSpan.FromDays(1), true), (asked.Verb, asked.Environment!.Value.Value, asked.Key, asked.Overlap, asked.Json));
        Assert.Equal(["--RealtimeStreams:DataDirectory", "/data", "--ConnectionStrings:registry=Host=db"], asked.Configuration);
    }

    [Theory]
    [InlineData("rub-out", "x")]
    [InlineData("create")]
    [InlineData("create", "a", "b")]
    [InlineData("create", "")]
    [InlineData("create", "a\nb")]
    [InlineData("list", "--jsn")]
    [InlineData("list", "--overlap", "1:00")]
    [InlineData("rotate-key", "a", "k", "--overlap")]
    [InlineData("rotate-key", "a", "k", "--overlap", "-00:01:00")]
    [InlineData("rotate-key", "a", "k", "--overlap=91")]
    [InlineData("rotate-key", "a", "k", "--overlap=soon")]
    [InlineData("list", "--RealtimeStreams:DataDirectory")]
    public void What_makes_no_sense_is_told_in_a_sentence(params string[] arguments)
    {
        var (asked, fault) = EnvironmentsArguments.Read(arguments);

        Assert.Null(asked);
        Assert.EndsWith(".", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData]
    [InlineData("--help")]
    [InlineData("create", "-h")]
    public void Help_is_given_when_it_is_asked_for_or_nothing_is(params string[] arguments) =>
        Assert.Equal((null, null), EnvironmentsArguments.Read(arguments));
}
