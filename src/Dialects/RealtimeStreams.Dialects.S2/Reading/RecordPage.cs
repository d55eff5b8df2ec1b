using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.S2.Records;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Read;

namespace RealtimeStreams.Dialects.S2.Reading;

/// <summary>A read of one batch. All of it is fetched before the first byte is sent.</summary>
internal sealed class RecordPage
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(60);

    // For what is stored already, which takes milliseconds unless the broker is away.
    private static readonly TimeSpan StoredWait = TimeSpan.FromSeconds(5);

    private readonly IRecordFraming framing;
    private readonly bool protobuf;

    private RecordPage(IRecordFraming framing, bool protobuf)
    {
        this.framing = framing;
        this.protobuf = protobuf;
    }

    public static RecordPage Of(HttpRequest request, bool base64) =>
        Formats.WantsProtobuf(request) ? new(ProtoRecords.Instance, true) : new(base64 ? JsonRecords.Base64 : JsonRecords.Raw, false);

    /// <summary>The request with the limits that hold for one batch.</summary>
    public static ReadRequest Limit(ReadRequest request) => request with
    {
        Count = Math.Min(request.Count ?? Metering.MaxRecords, Metering.MaxRecords),
        Bytes = Math.Min(request.Bytes ?? Metering.MaxBytes, Metering.MaxBytes),
        Wait = request.Wait > MaxWait ? MaxWait : request.Wait,
    };

    /// <summary>Fetches what is there; where nothing is, waits for a first record as long as the client does.</summary>
    public async Task<IResult> FetchAsync(IStreamRead read, ReadRequest request, TimeProvider clock, CancellationToken cancellationToken)
    {
        var batch = new RecordBatch(framing, request.Count, request.Bytes, request.Until, metered: true);
        var began = clock.GetTimestamp();
        var caughtUp = false;
        while (!batch.IsLast && !batch.IsFull)
        {
            var wait = batch.Count > 0 ? TimeSpan.Zero : !caughtUp ? StoredWait : (request.Wait ?? TimeSpan.Zero) - clock.GetElapsedTime(began);
            var step = await read.NextAsync(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, cancellationToken);
            switch (step.Kind)
            {
                case ReadStepKind.Chunks:
                    batch.Take(step.Record!, step.From);
                    continue;
                case ReadStepKind.Erased:
                    return Answers.Error(S2Error.StreamNotFound("The stream was deleted while it was being read."));
                case ReadStepKind.CaughtUp:
                    caughtUp = true;
                    if (batch.Count == 0) continue;
                    break;
                case ReadStepKind.Trimmed:
                    continue;
                case ReadStepKind.Idle when batch.Count == 0 && !caughtUp:
                    throw new LogUnavailableException("What is stored of the stream could not be read in time.");
            }
            break;
        }
        StreamPosition? tail = (batch.Count > 0 ? batch.Next >= read.NextIndex : !batch.IsLast) ? new(read.NextIndex.Value, read.LastTimestamp) : null;
        return protobuf ? Protobuf(batch, tail) : Json(batch, tail);
    }

    private static IResult Protobuf(RecordBatch batch, StreamPosition? tail) => Answers.Bytes(Answers.Protobuf, output =>
    {
        batch.WriteTo(output);
        if (tail is { } position) Proto.WritePosition(output, 2, position);
    });

    private static IResult Json(RecordBatch batch, StreamPosition? tail) => Answers.Bytes(Answers.Json, output =>
    {
        var elements = new ArrayBufferWriter<byte>(Math.Max(batch.Length, 1));
        batch.WriteTo(elements);
        output.Write("{\"records\":["u8);
        output.Write(elements.WrittenSpan is { IsEmpty: false } some ? some[1..] : default);
        output.Write("]"u8);
        if (tail is { } position)
        {
            output.Write(Encoding.UTF8.GetBytes(string.Create(
                CultureInfo.InvariantCulture, $",\"tail\":{{\"seq_num\":{position.SeqNum},\"timestamp\":{position.Timestamp}}}")));
        }
        output.Write("}"u8);
    });
}
