using System.Text.Json.Serialization.Metadata;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>Defines streams: once, in a place that writers and readers share.</summary>
public static class RealtimeStream
{
    /// <summary>The key of the stream that is meant when none is given.</summary>
    public const string DefaultKey = "default";

    /// <summary>Defines a stream by its key and the type of its chunks. Opens no connection; keep it in a static field.</summary>
    /// <typeparam name="T">The type of a chunk: anything that <c>System.Text.Json</c> writes as one JSON value.</typeparam>
    /// <param name="key">The stream's key, 1 to 256 bytes of UTF-8 without control characters.</param>
    /// <param name="typeInfo">The chunk's JSON contract, for example from a source-generated context. When absent it comes from
    /// <see cref="RealtimeStreamsClientOptions.SerializerOptions"/>, and in programs that allow reflection from the type itself.</param>
    /// <exception cref="FormatException">The key cannot be one; the message says why.</exception>
    public static RealtimeStream<T> Define<T>(string key, JsonTypeInfo<T>? typeInfo = null) => new(StreamKey.Parse(key), typeInfo);

    /// <summary>Defines an input: what readers send to a run (<see cref="IRuns.SendInputAsync"/>)
    /// and the run takes (<see cref="RunContext.Inputs{T}(RealtimeStream{T}, long?)"/>). It is a stream of the run with a key of its own, so that an
    /// output stream of the same name is another one.</summary>
    /// <typeparam name="T">The type of what is sent: anything that <c>System.Text.Json</c> writes as one JSON value.</typeparam>
    /// <param name="name">The input's name, 1 to 249 bytes of UTF-8 without control characters.</param>
    /// <param name="typeInfo">The JSON contract of what is sent; absent as in <see cref="Define"/>.</param>
    /// <exception cref="FormatException">The name cannot be one; the message says why.</exception>
    public static RealtimeStream<T> DefineInput<T>(string name, JsonTypeInfo<T>? typeInfo = null) => InputStreams.TryMakeKey(name, out var key)
        ? new(key, typeInfo)
        : throw new FormatException($"The input's name {StreamKey.FindFault(name) ?? "is too long; at most 249 bytes of UTF-8 are allowed"}.");
}
