using System.IO.Pipelines;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.S2.Records;
using RealtimeStreams.Dialects.S2.Wire;

namespace RealtimeStreams.Dialects.S2.Reading;

/// <summary>How a read session looks on the wire.</summary>
internal abstract class RecordFormat
{
    /// <summary>The framing of single records, under which the log keeps them.</summary>
    public abstract IRecordFraming Framing { get; }

    public abstract string ContentType { get; }

    /// <summary>Whether a batch tells the metered size of all so far.</summary>
    public abstract bool Metered { get; }

    /// <summary>Writes a batch that is not empty.</summary>
    /// <returns>Null, or why it cannot be written.</returns>
    public abstract S2Error? WriteBatch(RecordBatch batch, StreamPosition? tail, PipeWriter output);

    /// <summary>Writes a sign of life, with the stream's end.</summary>
    public abstract void WriteHeartbeat(StreamPosition tail, PipeWriter output);

    /// <summary>Writes what ends the session with an error.</summary>
    public abstract void WriteError(S2Error error, PipeWriter output);

    /// <summary>Writes what ends the session after all was given.</summary>
    public abstract void WriteDone(PipeWriter output);
}

/// <summary>Frames of protobuf.</summary>
internal sealed class FrameFormat : RecordFormat
{
    public static readonly FrameFormat Instance = new();

    private const int TailField = 2;

    private FrameFormat()
    {
    }

    public override IRecordFraming Framing => ProtoRecords.Instance;

    public override string ContentType => "s2s/proto";

    public override bool Metered => false;

    public override S2Error? WriteBatch(RecordBatch batch, StreamPosition? tail, PipeWriter output)
    {
        var size = batch.Length + SizeOf(tail);
        if (size > Frame.MaxPayload)
            return S2Error.Invalid($"The record before {batch.Next} is larger than a frame of a session, {Frame.MaxPayload} bytes. Start behind it, or read it as JSON.");
        Frame.WriteHeader(output, size);
        batch.WriteTo(output);
        if (tail is { } position) Proto.WritePosition(output, TailField, position);
        return null;
    }

    public override void WriteHeartbeat(StreamPosition tail, PipeWriter output)
    {
        Frame.WriteHeader(output, SizeOf(tail));
        Proto.WritePosition(output, TailField, tail);
    }

    public override void WriteError(S2Error error, PipeWriter output) => Frame.WriteTerminal(output, error);

    public override void WriteDone(PipeWriter output)
    {
    }

    private static int SizeOf(StreamPosition? tail) => tail is { } position ? Proto.SizeOfBytes(Proto.SizeOfPosition(position)) : 0;
}
