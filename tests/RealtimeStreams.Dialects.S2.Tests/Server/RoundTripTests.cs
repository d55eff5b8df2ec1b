using System.Text.Json;
using CsCheck;

namespace RealtimeStreams.Dialects.S2.Tests.Server;

/// <summary>Whatever is written comes back, over every way in and out.</summary>
public sealed class RoundTripTests(S2Server server) : IDisposable
{
    private readonly S2Caller caller = server.NewCaller();

    private static readonly Gen<Record[]> batches = Gen.Select(
        Gen.OneOf(Gen.Byte.Array[0, 50], Gen.String[0, 30].Select(System.Text.Encoding.UTF8.GetBytes), Gen.Const("""{"data":[1,"x"],"id":"abc"}"""u8.ToArray())),
        Gen.Select(Gen.Byte.Array[1, 6], Gen.Byte.Array[0, 6]).Array[0, 2],
        (body, headers) => new Record(body, headers)).Array[1, 20];

    [Fact]
    public async Task Any_records_come_back_byte_for_byte_in_a_stream_of_its_own()
    {
        await batches.SampleAsync(some => CheckAsync(S2Caller.NewName(), some), iter: 25);
    }

    [Fact]
    public async Task Any_records_come_back_byte_for_byte_in_a_runs_stream()
    {
        await batches.SampleAsync(
            async some =>
            {
                var run = $"run-{Guid.NewGuid():N}";
                await caller.SendAsync(HttpMethod.Post, "/api/v1/runs", JsonSerializer.Serialize(new { id = run }));
                await CheckAsync($"runs/{run}/out", some);
            },
            iter: 25);
    }

    private async Task CheckAsync(string name, Record[] some)
    {
        var input = some.Aggregate(new Message(), (all, record) => all.Field(
            1,
            record.Headers.Aggregate(new Message(), (message, header) => message.Field(2, new Message().Field(1, header.Name).Field(2, header.Value))).Field(3, record.Body)));
        await using (var session = await caller.OpenAppendAsync(name))
        {
            await session.AppendAsync(input);
            Assert.Equal((0UL, (ulong)some.Length, (ulong)some.Length), await session.AckAsync());
        }

        await using var frames = await caller.OpenReadAsync(name, $"?seq_num=0&count={some.Length}");
        var read = new List<ReadRecord>();
        while (await frames.NextAsync() is { } frame) read.AddRange(ReadBatch.Of(frame.Payload).Records);
        Same(some, [.. read.Select(record => new Record(record.Body, [.. record.Headers]))]);

        var page = await caller.GetAsync(S2Caller.Records(name, "?seq_num=0"), ("s2-format", "base64"));
        Same(some, [.. page.Json.GetProperty("records").EnumerateArray().Select(Of)]);

        using var events = await caller.OpenEventsAsync(name, $"?seq_num=0&count={some.Length}", ("s2-format", "base64"));
        var lines = (await events.Content.ReadAsStringAsync(S2Caller.Cancellation)).Split('\n');
        var batchLines = lines.Where(line => line.StartsWith("data: {\"records\"", StringComparison.Ordinal));
        Same(some, [.. batchLines.SelectMany(line => JsonDocument.Parse(line[6..]).RootElement.GetProperty("records").EnumerateArray().Select(Of))]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_batch_of_a_mebibyte_may_be_written_with_nothing_but_escapes(bool http2)
    {
        using var either = server.NewCaller(http2: http2);
        var name = S2Caller.NewName();
        const int size = 1024 * 1024 - 8;

        var answer = await either.AppendAsync(name, $$"""{"records":[{"body":"{{string.Concat(Enumerable.Repeat("\\u0061", size))}}"}]}""");

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(size, Assert.Single(await either.BodiesAsync(name)).Length);
    }

    public void Dispose() => caller.Dispose();

    private static Record Of(JsonElement record) => new(
        record.GetProperty("body").GetBytesFromBase64(),
        record.TryGetProperty("headers", out var headers)
            ? [.. headers.EnumerateArray().Select(header => (header[0].GetBytesFromBase64(), header[1].GetBytesFromBase64()))]
            : []);

    private static void Same(Record[] expected, Record[] actual)
    {
        Assert.Equal(expected.Select(Describe), actual.Select(Describe));

        static string Describe(Record record) =>
            $"{Convert.ToHexString(record.Body)} {string.Join(',', record.Headers.Select(header => $"{Convert.ToHexString(header.Name)}={Convert.ToHexString(header.Value)}"))}";
    }

    private sealed record Record(byte[] Body, (byte[] Name, byte[] Value)[] Headers);
}
