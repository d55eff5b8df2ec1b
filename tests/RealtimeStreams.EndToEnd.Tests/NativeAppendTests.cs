using System.Net;
using System.Text;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>The rows of the native API that write.</summary>
public sealed class NativeAppendTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process.CreateClient());

    [Fact]
    public async Task Every_kind_of_body_is_acknowledged_with_its_index_range()
    {
        var run = await api.RegisterAsync();

        var value = await api.AppendAsync(run, "s", " {\"a\":\n1} ");
        var array = await Api.ReadAsync(
            await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s") + "?batch=true", "[1,\"x\",null]"), NativeJson.Default.AppendReceipt);
        var text = await api.AppendAsync(run, "s", "two\nlines", "text/plain; charset=utf-8");
        var lines = await api.AppendAsync(run, "s", "{\"n\":1}\r\n\n[2]", Api.Lines);
        var none = await api.AppendAsync(run, "s", "", "application/jsonl");

        Assert.Equal(new AppendReceipt(0, 1, 1, 0, null), value);
        Assert.Equal(new AppendReceipt(1, 4, 3, 0, null), array);
        Assert.Equal(new AppendReceipt(4, 5, 1, 0, null), text);
        Assert.Equal(new AppendReceipt(5, 7, 2, 0, null), lines);
        Assert.Equal(new AppendReceipt(7, 7, 0, 0, null), none);
        Assert.Equal(["{\"a\": 1}", "1", "\"x\"", "null", "\"two\\nlines\"", "{\"n\":1}", "[2]"], (await api.PageAsync(run, "s")).Data);
    }

    [Fact]
    public async Task Lines_of_an_open_body_can_be_read_while_it_goes_on()
    {
        var run = await api.RegisterAsync();
        using var reader = await api.OpenSseAsync(run, "s");
        await reader.UntilAsync(NativeEvents.CaughtUp);
        using var body = new OpenBody(Api.Lines);
        using var request = api.Request(HttpMethod.Post, Api.StreamPath(run, "s"), Api.Producer("p", 0));
        request.Content = body;
        var sending = api.Client.SendAsync(request, Api.Cancellation);

        for (var i = 0; i < 3; i++)
        {
            await body.WriteAsync($"{{\"n\":{i}}}\n");
            Assert.Equal(new SseEvent($"{i}", null, $"{{\"n\":{i}}}"), await reader.NextAsync());
        }
        body.End();

        Assert.Equal(new AppendReceipt(0, 3, 3, 0, 3), await Api.ReadAsync(await sending, NativeJson.Default.AppendReceipt));
    }

    [Fact]
    public async Task Of_a_body_that_is_cut_the_complete_lines_are_stored_and_the_producer_learns_where_to_go_on()
    {
        var run = await api.RegisterAsync();
        using (var reader = await api.OpenSseAsync(run, "s"))
        {
            await reader.UntilAsync(NativeEvents.CaughtUp);
            await using var raw = await RawRequest.PostLinesAsync(server.Process, Api.StreamPath(run, "s"), Api.Producer("p", 0));
            await raw.WriteChunkAsync("1\n2\n\"cut");
            Assert.Equal("1", (await reader.NextAsync())!.Data);
            Assert.Equal("2", (await reader.NextAsync())!.Data);
            raw.Cut();
        }

        using var tail = await api.HeadAsync(run, "s", (NativeHeaders.ProducerId, "p"));
        Assert.Equal(("2", "0"), (Api.Header(tail, NativeHeaders.ProducerNextSequence), Api.Header(tail, NativeHeaders.ProducerEpoch)));
        var rest = await api.AppendAsync(run, "s", "1\n2\n3\n", Api.Lines, Api.Producer("p", 0));
        Assert.Equal(new AppendReceipt(2, 3, 1, 2, 3), rest);
        Assert.Equal(["1", "2", "3"], (await api.PageAsync(run, "s")).Data);
    }

    [Fact]
    public async Task A_retry_with_the_same_sequence_or_key_stores_nothing_twice()
    {
        var run = await api.RegisterAsync();
        (string, string?) key = (NativeHeaders.IdempotencyKey, "key");

        var keyed = await api.AppendAsync(run, "s", "\"a\"", Api.Json, key);
        var keyedAgain = await api.AppendAsync(run, "s", "\"a\"", Api.Json, key);
        var numbered = await api.AppendAsync(run, "s", "1\n2\n", Api.Lines, Api.Producer("p", 0));
        var numberedAgain = await api.AppendAsync(run, "s", "1\n2\n3\n", Api.Lines, Api.Producer("p", 0));

        Assert.Equal((0, 1, 1, 0), (keyed.FirstIndex, keyed.NextIndex, keyed.Stored, keyed.Duplicates));
        Assert.Equal((0, 1, 0, 1), (keyedAgain.FirstIndex, keyedAgain.NextIndex, keyedAgain.Stored, keyedAgain.Duplicates));
        Assert.Equal(new AppendReceipt(1, 3, 2, 0, 2), numbered);
        Assert.Equal((1, 2, 3), (numberedAgain.Stored, numberedAgain.Duplicates, numberedAgain.NextSequence));
        Assert.Equal(["\"a\"", "1", "2", "3"], (await api.PageAsync(run, "s")).Data);
    }

    [Fact]
    public async Task A_gap_in_the_sequence_is_refused_with_the_number_expected()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "1\n2\n", Api.Lines, Api.Producer("p", 0));

        var problem = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s"), "9", Api.Json, Api.Producer("p", 7)));

        Assert.Equal(("sequence_gap", 409, 2), (problem.Code, problem.Status, problem.ExpectedSequence));
        Assert.Equal(2, (await api.PageAsync(run, "s")).NextIndex);
    }

    [Fact]
    public async Task A_newer_epoch_fences_the_older_one()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "\"old\"", Api.Json, Api.Producer("p", 0, epoch: 1));
        await api.AppendAsync(run, "s", "\"new\"", Api.Json, Api.Producer("p", 0, epoch: 2));

        var problem = await Api.ReadProblemAsync(
            await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s"), "\"late\"", Api.Json, Api.Producer("p", 1, epoch: 1)));

        Assert.Equal(("fenced", 409, false), (problem.Code, problem.Status, problem.Retryable));
        Assert.Equal(["\"old\"", "\"new\""], (await api.PageAsync(run, "s")).Data);
        using var tail = await api.HeadAsync(run, "s", (NativeHeaders.ProducerId, "p"));
        Assert.Equal(("2", "1"), (Api.Header(tail, NativeHeaders.ProducerEpoch), Api.Header(tail, NativeHeaders.ProducerNextSequence)));
        using var newer = await api.HeadAsync(run, "s", (NativeHeaders.ProducerId, "p"), (NativeHeaders.ProducerEpoch, "3"));
        Assert.Equal(("3", "0"), (Api.Header(newer, NativeHeaders.ProducerEpoch), Api.Header(newer, NativeHeaders.ProducerNextSequence)));
    }

    [Fact]
    public async Task A_close_with_a_final_chunk_ends_the_stream_for_good()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "1");
        var path = Api.StreamPath(run, "s");

        var closed = await Api.ReadAsync(
            await api.SendAsync(HttpMethod.Post, path + "/close", "{\"outcome\":\"failed\",\"finalChunk\":{\"bye\":true}}"), NativeJson.Default.CloseReceipt);
        var again = await Api.ReadAsync(await api.SendAsync(HttpMethod.Post, path + "/close", "{\"outcome\":\"failed\"}"), NativeJson.Default.CloseReceipt);
        var otherwise = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, path + "/close"));
        var late = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, path, "3"));

        Assert.Equal(new CloseReceipt(2, Outcome.Failed, false), closed);
        Assert.Equal(new CloseReceipt(2, Outcome.Failed, true), again);
        Assert.Equal("stream_closed", otherwise.Code);
        Assert.Equal(("stream_closed", 409), (late.Code, late.Status));
        var page = await api.PageAsync(run, "s");
        Assert.Equal(["1", "{\"bye\":true}"], page.Data);
        Assert.Equal(("closed", "failed"), (page.State, page.Outcome));
        using var tail = await api.HeadAsync(run, "s");
        Assert.Equal(("2", "closed", "failed"), (Api.Header(tail, NativeHeaders.NextIndex), Api.Header(tail, NativeHeaders.State), Api.Header(tail, NativeHeaders.Outcome)));
    }

    [Fact]
    public async Task A_stream_without_chunks_can_be_closed_and_a_close_without_a_body_means_completed()
    {
        var run = await api.RegisterAsync();

        var closed = await Api.ReadAsync(await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s") + "/close"), NativeJson.Default.CloseReceipt);

        Assert.Equal(new CloseReceipt(0, Outcome.Completed, false), closed);
        using var reader = await api.OpenSseAsync(run, "s");
        Assert.Equal([NativeEvents.CaughtUp, NativeEvents.End], (await reader.RestAsync()).Select(next => next.Name));
    }

    [Fact]
    public async Task A_chunk_of_1_MiB_is_stored_and_one_byte_more_is_not()
    {
        var run = await api.RegisterAsync();
        var largest = '"' + new string('x', 1024 * 1024 - 2) + '"';

        await api.AppendAsync(run, "s", largest);
        await api.AppendAsync(run, "s", largest + "\n1\n", Api.Lines);
        var whole = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s"), largest + "1"));
        var tooLarge = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s"), largest.Insert(1, "y")));
        var line = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s"), "2\n" + largest.Insert(1, "y") + "\n3\n", Api.Lines));

        Assert.Equal((413, "chunk_too_large"), (whole.Status, whole.Code));
        Assert.Equal(
            (413, "chunk_too_large", "The body has 1048577 bytes; a chunk may have at most 1048576."), (tooLarge.Status, tooLarge.Code, tooLarge.Detail));
        Assert.Equal(
            ("chunk_too_large", "Line 2 has 1048577 bytes; a chunk may have at most 1048576.", 1), (line.Code, line.Detail, line.Receipt!.Stored));
        Assert.Equal(["1", "2"], (await api.PageAsync(run, "s", "?startIndex=2")).Data);
    }

    [Fact]
    public async Task A_stream_of_3000_chunks_is_listed_with_its_numbers_and_producers()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", string.Concat(Enumerable.Range(0, 3000).Select(i => $"{i}\n")), Api.Lines, Api.Producer("p", 0, epoch: 4));

        var page = await api.PageAsync(run, "s");
        var stream = Assert.Single((await Api.ReadAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}"), NativeJson.Default.RunInfo)).Streams!);

        Assert.Equal(Enumerable.Range(0, 3000).Select(i => ((long)i, $"{i}")), page.Chunks);
        Assert.Equal(("s", 0, 3000, "open"), (stream.Key, stream.FirstIndex, stream.NextIndex, stream.State));
        Assert.Equal(page.Data.Sum(chunk => chunk.Length), stream.Bytes);
        Assert.Equal(new ProducerInfo("p", 4, 2999, 2999), Assert.Single(stream.Producers));
        Assert.NotEmpty(stream.Durability);
    }

    public void Dispose() => api.Dispose();

    /// <summary>A request body that stays open until it is ended.</summary>
    private sealed class OpenBody : HttpContent
    {
        private readonly TaskCompletionSource<Stream> opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public OpenBody(string contentType) => Headers.TryAddWithoutValidation("Content-Type", contentType);

        public async Task WriteAsync(string text)
        {
            var stream = await opened.Task.WaitAsync(Api.Cancellation);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(text), Api.Cancellation);
            await stream.FlushAsync(Api.Cancellation);
        }

        public void End() => ended.TrySetResult();

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            opened.TrySetResult(stream);
            return ended.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
