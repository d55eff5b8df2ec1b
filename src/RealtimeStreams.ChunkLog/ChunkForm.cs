namespace RealtimeStreams.ChunkLog;

/// <summary>What a chunk's bytes are, so that whoever wrote them gets them back byte for byte and everybody else reads JSON.</summary>
public enum ChunkForm : byte
{
    /// <summary>One JSON value on one line.</summary>
    Json = 0,

    /// <summary>One JSON value with raw line breaks between its tokens, which are spaces to those who read JSON.</summary>
    SpacedJson = 1,

    /// <summary>UTF-8 that is no JSON value: to those who read JSON a string of it.</summary>
    Text = 2,

    /// <summary>Anything else: to those who read JSON a string of its base64 (RFC 4648, section 4).</summary>
    Binary = 3,
}
