using RealtimeStreams.Protocol;

namespace RealtimeStreams.Http.Tests;

public sealed class S2NamesTests
{
    [Theory]
    [InlineData("production", "production")]
    [InlineData("team-7-dev", "team-7-dev")]
    [InlineData("default", "env-default-37a8eec1")]
    [InlineData("Production", "env-production-5d1a7d0b")]
    public void An_environment_has_a_readable_basin(string environment, string basin)
    {
        var name = S2Names.BasinOf(EnvironmentId.Parse(environment));

        Assert.Equal(basin[..^8], name[..^8]);
        Assert.Equal(basin.Length, name.Length);
    }

    [Theory]
    [InlineData("default")]
    [InlineData("-")]
    [InlineData("-starts-with-a-hyphen")]
    [InlineData("Ünïcödé äöü")]
    [InlineData("日本")]
    [InlineData("a_very_long_environment_name_that_goes_up_to_the_limit_of_64_b")]
    [InlineData("0123456789012345678901234567890123 56789")]
    [InlineData("12345678901234567890123456789012345678901234567890")]
    public void Every_basin_fits_the_rule_that_clients_check(string environment)
    {
        var name = S2Names.BasinOf(EnvironmentId.Parse(environment));

        Assert.Matches("^[a-z0-9][a-z0-9-]{6,46}[a-z0-9]$", name);
        Assert.Equal(name, S2Names.BasinOf(EnvironmentId.Parse(environment)));
    }

    [Fact]
    public void Environments_that_look_alike_have_basins_of_their_own() =>
        Assert.NotEqual(S2Names.BasinOf(EnvironmentId.Parse("Team Dev")), S2Names.BasinOf(EnvironmentId.Parse("team.dev")));

    [Theory]
    [InlineData("run_1", "default", "runs/run_1/default")]
    [InlineData("a/b%2F", "k/with/slashes%", "runs/a%2Fb%252F/k/with/slashes%")]
    [InlineData("läuft heute", "schlüssel", "runs/läuft heute/schlüssel")]
    public void A_runs_stream_is_found_by_the_name_it_has(string run, string key, string name)
    {
        Assert.Equal(name, S2Names.StreamOf(RunId.Parse(run), StreamKey.Parse(key)));
        Assert.True(S2Names.TryParse(name, out var parsedRun, out var parsedKey));
        Assert.Equal((run, key), (parsedRun.Value, parsedKey.Value));
        Assert.True(S2Names.TryParse("/" + name, out parsedRun, out parsedKey));
        Assert.Equal((run, key), (parsedRun.Value, parsedKey.Value));
    }

    [Theory]
    [InlineData("orders")]
    [InlineData("runs")]
    [InlineData("runs/")]
    [InlineData("runs/r")]
    [InlineData("runs/r/")]
    [InlineData("runs//k")]
    [InlineData("//runs/r/k")]
    [InlineData("Runs/r/k")]
    [InlineData("runs/self/k")]
    [InlineData("runs/100%/k")]
    [InlineData("runs/r/.")]
    public void Any_other_name_is_that_of_a_stream_outside_runs(string name) => Assert.False(S2Names.TryParse(name, out _, out _));

    [Theory]
    [InlineData("approvals", "$input:approvals")]
    [InlineData("a/b", "$input:a/b")]
    public void An_input_stream_has_a_key_of_its_own(string name, string key)
    {
        Assert.True(InputStreams.TryMakeKey(name, out var made));
        Assert.Equal(key, made.Value);
        Assert.Equal(name, InputStreams.FindName(made));
    }

    [Fact]
    public void A_name_that_makes_no_key_is_told()
    {
        Assert.False(InputStreams.TryMakeKey("", out _));
        Assert.False(InputStreams.TryMakeKey("..", out _));
        Assert.False(InputStreams.TryMakeKey(new string('x', 256), out _));
        Assert.Null(InputStreams.FindName(StreamKey.Parse("$input:")));
        Assert.Null(InputStreams.FindName(StreamKey.Default));
    }
}
