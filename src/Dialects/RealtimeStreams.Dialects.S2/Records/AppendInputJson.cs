using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.S2.Wire;

namespace RealtimeStreams.Dialects.S2.Records;

/// <summary>Reads an append that was written as JSON. Strings are the bytes of their UTF-8, or with <c>s2-format: base64</c> what they encode.</summary>
internal sealed class AppendInputJson(BatchBuilder builder, bool base64)
{
    private readonly ArrayBufferWriter<byte> body = new(1024);
    private readonly ArrayBufferWriter<byte> name = new(64);
    private readonly ArrayBufferWriter<byte> value = new(64);

    /// <returns>Null, or why the append cannot be.</returns>
    public S2Error? Read(ReadOnlySpan<byte> json, out ChunkBatch? batch)
    {
        batch = null;
        builder.Begin(json.Length);
        try
        {
            return Read(new Utf8JsonReader(json), out batch);
        }
        catch (JsonException exception)
        {
            return S2Error.BadJson($"The body is not the JSON of an append (line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}).");
        }
        catch (Exception exception) when (exception is InvalidOperationException or FormatException)
        {
            // The reader says so of a value of another kind, of a number out of range, and of an escape that is half a character.
            return S2Error.BadJson("The body is not the JSON of an append: a field has a value that it cannot have.");
        }
    }

    private S2Error? Read(Utf8JsonReader json, out ChunkBatch? batch)
    {
        batch = null;
        ulong? matchSeqNum = null;
        string? fencingToken = null;
        var hasRecords = false;
        json.Read();
        Expect(json, JsonTokenType.StartObject);
        while (NextProperty(ref json, out var property))
        {
            switch (property)
            {
                case "records":
                    if (hasRecords) return S2Error.BadJson("The field records stands there twice.");
                    hasRecords = true;
                    Expect(json, JsonTokenType.StartArray);
                    while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                        if (ReadRecord(ref json) is { } error) return error;
                    break;
                case "match_seq_num":
                    matchSeqNum = json.TokenType == JsonTokenType.Null ? null : json.GetUInt64();
                    break;
                case "fencing_token":
                    fencingToken = json.GetString();
                    break;
                default:
                    json.Skip();
                    break;
            }
        }
        if (json.Read()) return S2Error.BadJson("Something follows the JSON of the append.");
        return hasRecords ? builder.Finish(matchSeqNum, fencingToken, out batch) : S2Error.BadJson("The field records is missing.");
    }

    private S2Error? ReadRecord(ref Utf8JsonReader json)
    {
        ulong? timestamp = null;
        body.ResetWrittenCount();
        builder.BeginRecord();
        Expect(json, JsonTokenType.StartObject);
        while (NextProperty(ref json, out var property))
        {
            switch (property)
            {
                case "body":
                    if (json.TokenType != JsonTokenType.Null && !TryReadBytes(ref json, body)) return NotBase64("body");
                    break;
                case "timestamp":
                    timestamp = json.TokenType == JsonTokenType.Null ? null : json.GetUInt64();
                    break;
                case "headers":
                    if (json.TokenType == JsonTokenType.Null) break;
                    Expect(json, JsonTokenType.StartArray);
                    while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                        if (ReadHeader(ref json) is { } error) return error;
                    break;
                default:
                    json.Skip();
                    break;
            }
        }
        return builder.EndRecord(body.WrittenSpan, timestamp);
    }

    private S2Error? ReadHeader(ref Utf8JsonReader json)
    {
        Expect(json, JsonTokenType.StartArray);
        json.Read();
        if (!TryReadBytes(ref json, name)) return NotBase64("header's name");
        json.Read();
        if (!TryReadBytes(ref json, value)) return NotBase64("header's value");
        json.Read();
        Expect(json, JsonTokenType.EndArray);
        builder.AddHeader(name.WrittenSpan, value.WrittenSpan);
        return null;
    }

    /// <returns>False when it should be base64 and is not.</returns>
    private bool TryReadBytes(ref Utf8JsonReader json, ArrayBufferWriter<byte> target)
    {
        target.ResetWrittenCount();
        Expect(json, JsonTokenType.String);
        var most = json.ValueSpan.Length; // Unescaping never makes it longer.
        var text = target.GetSpan(Math.Max(most, 1));
        var length = json.CopyString(text);
        if (base64)
        {
            if (Base64.DecodeFromUtf8InPlace(text[..length], out length) != OperationStatus.Done) return false;
        }
        target.Advance(length);
        return true;
    }

    private static bool NextProperty(ref Utf8JsonReader json, out string? property)
    {
        property = null;
        json.Read();
        if (json.TokenType == JsonTokenType.EndObject) return false;
        property = json.GetString();
        json.Read();
        return true;
    }

    private static void Expect(in Utf8JsonReader json, JsonTokenType type)
    {
        if (json.TokenType != type) throw new InvalidOperationException();
    }

    private static S2Error NotBase64(string what) => S2Error.BadJson($"A {what} is not base64, which the header s2-format asked for.");
}
