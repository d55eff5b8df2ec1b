using System.Buffers;
using System.Text.Json;

namespace RealtimeStreams.ChunkLog.Broker;

/// <summary>Reads the answer to a JetStream publish. Source: NATS documentation, "JetStream wire API", io.nats.jetstream.api.v1.pub_ack_response.</summary>
internal static class PubAck
{
    // Codes of nats-server's errors.json.
    private const int WrongLastSequence = 10071;
    private const int WrongLastSequenceConstant = 10164;
    private const int StoreFailed = 10077; // With the reason in the description only.
    private const int InsufficientResources = 10023;
    private const int StorageResourcesExceeded = 10047;
    private const int MemoryResourcesExceeded = 10028;
    private const int TooManyRequests = 10167;

    public static PublishOutcome Parse(ReadOnlySequence<byte> headers, ReadOnlySequence<byte> payload)
    {
        // "NATS/1.0 503": nobody listens, as while the stream elects a leader. What was sent before may still be stored.
        if (payload.IsEmpty) return new PublishOutcome(PublishKind.Unknown, Reason: headers.IsEmpty ? "an empty answer" : "no responders");
        try
        {
            var reader = new Utf8JsonReader(payload);
            ulong sequence = 0;
            var error = 0;
            string? description = null;
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName) continue;
                if (reader.ValueTextEquals("seq"u8) && reader.Read()) sequence = reader.GetUInt64();
                else if (reader.ValueTextEquals("err_code"u8) && reader.Read()) error = reader.GetInt32();
                else if (reader.ValueTextEquals("description"u8) && reader.Read()) description = reader.GetString();
            }
            return error switch
            {
                0 when sequence > 0 => new PublishOutcome(PublishKind.Stored, sequence),
                WrongLastSequence or WrongLastSequenceConstant => new PublishOutcome(PublishKind.Conflict),
                StoreFailed when description?.Contains("exceeded", StringComparison.Ordinal) == true =>
                    new PublishOutcome(PublishKind.Full, Reason: description),
                InsufficientResources or StorageResourcesExceeded or MemoryResourcesExceeded =>
                    new PublishOutcome(PublishKind.Full, Reason: description),
                TooManyRequests or StoreFailed or 0 => new PublishOutcome(PublishKind.Unknown, Reason: description),
                _ => new PublishOutcome(PublishKind.Rejected, Reason: $"{description} ({error})"),
            };
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException)
        {
            return new PublishOutcome(PublishKind.Unknown, Reason: "an answer that is not one");
        }
    }
}
