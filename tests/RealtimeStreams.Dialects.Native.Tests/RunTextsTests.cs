using RealtimeStreams.Dialects.Native.Runs;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Tests;

public sealed class RunTextsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("{\"a\": 1}", "application/json", "{\"a\": 1}", null)]
    [InlineData("[1]", null, "[1]", null)]
    [InlineData("{\"json\":1}", "application/super+json", "{\"json\":1}", "application/super+json")]
    [InlineData("no json", "application/json", "\"no json\"", null)]
    [InlineData("1", "text/plain", "\"1\"", "text/plain")]
    public void A_payload_is_told_as_json_where_it_is_some_and_as_a_text_elsewhere(string payload, string? type, string told, string? toldType)
    {
        var info = (NewRun() with { Payload = payload, PayloadType = type, Output = payload, OutputType = type }).Tell(Now);

        Assert.Equal((told, toldType), (info.Payload!.Value.GetRawText(), info.PayloadType));
        Assert.Equal((told, toldType), (info.Output!.Value.GetRawText(), info.OutputType));
    }

    [Fact]
    public void A_run_is_queued_until_it_is_claimed_and_again_when_its_lease_is_over()
    {
        var queued = NewRun() with { Triggered = true };
        var claimed = queued with { StartedAt = Now, Attempt = 1, Worker = "w", LeaseUntil = Now.AddSeconds(30) };

        Assert.Equal(RunPhase.Queued, queued.Tell(Now).Phase);
        Assert.Equal(RunPhase.Executing, claimed.Tell(Now).Phase);
        Assert.Equal(RunPhase.Queued, claimed.Tell(Now.AddSeconds(30)).Phase);
        Assert.Null((claimed with { Status = RunStatus.Failed }).Tell(Now).Phase);
        Assert.Equal((RunPhase.Executing, null), (NewRun().Tell(Now).Phase, NewRun().Tell(Now).Attempt));
        Assert.Equal((0, 1), (queued.Tell(Now).Attempt, claimed.Tell(Now).Attempt));
    }

    internal static Run NewRun() =>
        new(RunId.Parse("run"), "task", null, null, [], RunStatus.Open, StreamsVersion.V2, null, Now, null);
}
