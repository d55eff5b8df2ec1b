using RealtimeStreams.RunRegistry;
using RealtimeStreams.Server.Operating;

namespace RealtimeStreams.Server.Tests;

public sealed class EnvironmentsArgumentsTests
{
    private static readonly EnvironmentSetting Retention = new("retentionInSeconds", "retention", "how long", 60, 86_400, IsTime: true);

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

    [Fact]
    public void Settings_of_an_environment_are_options_of_set()
    {
        var (asked, fault) = EnvironmentsArguments.Read(["set", "--retention", "1.00:00:00", "a", "--other=x=y", "--json"]);

        Assert.Null(fault);
        Assert.Equal(("set", "a", true), (asked!.Verb, asked.Environment!.Value.Value, asked.Json));
        Assert.Equal([new("retention", "1.00:00:00"), new("other", "x=y")], asked.Settings);
    }

    [Theory]
    [InlineData("01:00:00", 3600L)]
    [InlineData("default", null)]
    public void A_value_of_a_setting_is_a_time_or_default(string text, long? value)
    {
        var (changes, fault) = SettingOptions.Read([new("retention", text)], [Retention]);

        Assert.Null(fault);
        Assert.Equal([new("retentionInSeconds", value)], changes);
    }

    [Theory]
    [InlineData("retention", "00:00:59")]
    [InlineData("retention", "00:01:00.5")]
    [InlineData("retention", "2.00:00:00")]
    [InlineData("retention", "soon")]
    [InlineData("colour", "blue")]
    public void A_value_that_a_setting_cannot_have_is_told_with_what_it_can(string option, string text)
    {
        var (_, fault) = SettingOptions.Read([new(option, text)], [Retention]);

        Assert.Contains("--retention", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rub-out", "x")]
    [InlineData("create")]
    [InlineData("create", "a", "b")]
    [InlineData("create", "")]
    [InlineData("create", "a\nb")]
    [InlineData("list", "--jsn")]
    [InlineData("list", "--retention", "1.00:00:00")]
    [InlineData("set", "a")]
    [InlineData("set", "a", "--retention")]
    [InlineData("set", "--retention", "1.00:00:00")]
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
