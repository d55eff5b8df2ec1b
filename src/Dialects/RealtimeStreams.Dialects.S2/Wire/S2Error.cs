using System.Buffers;
using System.Text.Json;

namespace RealtimeStreams.Dialects.S2.Wire;

/// <summary>An error as S2's clients know it: a status and a JSON body, which is never empty because a client takes an empty one for a clean end.</summary>
/// <param name="Status">The HTTP status; a terminal frame carries it too.</param>
/// <param name="Code">The word by which clients tell errors of one status apart; empty for the two that have a body of their own (412, 416).</param>
/// <param name="Body">The JSON text.</param>
internal sealed record S2Error(int Status, string Code, ReadOnlyMemory<byte> Body)
{
    public static S2Error BadJson(string message) => Of(400, "bad_json", message);

    public static S2Error BadHeader(string message) => Of(400, "bad_header", message);

    public static S2Error BadQuery(string message) => Of(400, "bad_query", message);

    public static S2Error BadPath(string message) => Of(400, "bad_path", message);

    public static S2Error BadProto(string message) => Of(400, "bad_proto", message);

    public static S2Error BadFrame(string message) => Of(400, "bad_frame", message);

    public static S2Error Unauthenticated(string message) => Of(401, "authn", message);

    public static S2Error PermissionDenied(string message) => Of(403, "permission_denied", message);

    public static S2Error StreamNotFound(string message) => Of(404, "stream_not_found", message);

    public static S2Error BasinNotFound(string message) => Of(404, "basin_not_found", message);

    public static S2Error NotFound(string message) => Of(404, "not_found", message);

    public static S2Error AlreadyExists(string message) => Of(409, "resource_already_exists", message);

    public static S2Error TransactionConflict(string message) => Of(409, "transaction_conflict", message);

    public static S2Error Invalid(string message) => Of(422, "invalid", message);

    public static S2Error NotImplemented(string message) => Of(501, "not_implemented", message);

    public static S2Error Unavailable(string message) => Of(503, "unavailable", message);

    public static S2Error Of(int status, string code, string message) => new(status, code, Write(json =>
    {
        json.WriteString("code", code);
        json.WriteString("message", message);
    }));

    /// <summary>The stream's next index is another than the one that the append named.</summary>
    public static S2Error SeqNumMismatch(long next) => new(412, "", Write(json => json.WriteNumber("seq_num_mismatch", next)));

    /// <summary>The stream's fencing token is another than the one that the append named.</summary>
    public static S2Error FencingTokenMismatch(string token) => new(412, "", Write(json => json.WriteString("fencing_token_mismatch", token)));

    /// <summary>The read would start at or behind the stream's end.</summary>
    public static S2Error RangeNotSatisfiable(StreamPosition tail) => new(416, "", Write(json => json.WritePosition("tail", tail)));

    private static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> content)
    {
        var output = new ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(output, S2Json.WriterOptions))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
        }
        return output.WrittenMemory;
    }
}

/// <summary>A place in a stream, in S2's words.</summary>
/// <param name="SeqNum">The index.</param>
/// <param name="Timestamp">Unix milliseconds.</param>
internal readonly record struct StreamPosition(long SeqNum, long Timestamp);
