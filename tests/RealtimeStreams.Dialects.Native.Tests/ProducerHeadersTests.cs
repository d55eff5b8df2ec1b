using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Native.Tests;

public sealed class ProducerHeadersTests
{
    [Fact]
    public void A_producer_is_read_from_its_three_headers()
    {
        var headers = new HeaderDictionary
        {
            [NativeHeaders.ProducerId] = "worker%2F%C3%BC",
            [NativeHeaders.ProducerEpoch] = "4294967295",
            [NativeHeaders.ProducerSequence] = "9007199254740991",
        };

        Assert.True(ProducerHeaders.TryRead(headers, out var producer, out _));
        Assert.Equal(("worker/ü", uint.MaxValue, 9007199254740991), (producer!.Value.Id.Value, producer.Value.Epoch, producer.Value.Sequence));
    }

    [Fact]
    public void Without_the_headers_there_is_no_producer()
    {
        Assert.True(ProducerHeaders.TryRead(new HeaderDictionary(), out var producer, out _));
        Assert.Null(producer);
    }

    [Theory]
    [InlineData("", "0")]
    [InlineData("%zz", "0")]
    [InlineData("p", "")]
    [InlineData("p", "01x")]
    [InlineData("p", " 1")]
    public void A_header_that_is_wrong_is_named(string id, string sequence)
    {
        var headers = new HeaderDictionary { [NativeHeaders.ProducerId] = id, [NativeHeaders.ProducerSequence] = sequence };

        Assert.False(ProducerHeaders.TryRead(headers, out _, out var problem));
        Assert.Equal("invalid_request", problem!.Value.Code);
        Assert.Contains(problem.Value.Field!, problem.Value.Detail!, StringComparison.Ordinal);
    }
}
