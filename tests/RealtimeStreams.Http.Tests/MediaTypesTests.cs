namespace RealtimeStreams.Http.Tests;

public sealed class MediaTypesTests
{
    [Theory]
    [InlineData(null, "text/event-stream")]
    [InlineData("", "text/event-stream")]
    [InlineData("*/*", "text/event-stream")]
    [InlineData("text/*", "text/event-stream")]
    [InlineData("application/*", "application/x-ndjson")]
    [InlineData("application/json", "application/json")]
    [InlineData("application/json, text/plain, */*", "application/json")]
    [InlineData("application/json, text/event-stream", "text/event-stream")]
    [InlineData("text/event-stream;q=0.5, application/x-ndjson", "application/x-ndjson")]
    [InlineData("text/event-stream;q=0, */*", "application/x-ndjson")]
    [InlineData("image/png", null)]
    [InlineData("application/json;q=0", null)]
    public void The_best_media_type_is_chosen(string? accept, string? chosen) =>
        Assert.Equal(chosen, MediaTypes.Choose(accept, "text/event-stream", "application/x-ndjson", "application/json"));

    [Theory]
    [InlineData("application/json", true)]
    [InlineData("Application/JSON; charset=utf-8", true)]
    [InlineData("application/json;charset=\"UTF-8\"", true)]
    [InlineData("application/json; charset=latin1", false)]
    [InlineData("application/jsonl", false)]
    [InlineData("text/json", false)]
    [InlineData("", false)]
    public void A_content_type_is_compared_without_its_case_and_in_utf8_only(string contentType, bool same) =>
        Assert.Equal(same, MediaTypes.Is(contentType, "application/json"));
}
