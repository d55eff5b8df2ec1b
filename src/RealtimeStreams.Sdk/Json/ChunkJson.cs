using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace RealtimeStreams.Sdk.Json;

/// <summary>Finds the JSON contracts of chunks, payloads and outputs.</summary>
internal sealed class ChunkJson
{
    private readonly JsonSerializerOptions options;

    public ChunkJson(JsonSerializerOptions? users)
    {
        options = users is null ? new JsonSerializerOptions(JsonSerializerDefaults.Web) : new JsonSerializerOptions(users);
        options.TypeInfoResolverChain.Add(PlainJson.Default);
        if (JsonSerializer.IsReflectionEnabledByDefault) AddReflection(options);
        options.MakeReadOnly();
    }

    /// <exception cref="NotSupportedException">The type has no contract, and the program allows no reflection.</exception>
    public JsonTypeInfo<T> Get<T>(RealtimeStream<T> stream) =>
        stream.TypeInfo ?? Find<T>() ?? throw new NotSupportedException(
            $"The stream '{stream.Key}' has chunks of {typeof(T)}, for which there is no JSON contract. Give one to RealtimeStream.Define, or a source-generated context to RealtimeStreamsClientOptions.SerializerOptions.");

    /// <param name="owner">Begins the error's sentence, before the type.</param>
    /// <exception cref="NotSupportedException">The type has no contract, and the program allows no reflection.</exception>
    public JsonTypeInfo<T> Get<T>(string owner) =>
        Find<T>() ?? throw new NotSupportedException(
            $"{owner} {typeof(T)}, for which there is no JSON contract. Give a source-generated context to RealtimeStreamsClientOptions.SerializerOptions.");

    /// <summary>A value as JSON without indentation: it is sent as it stands. What is JSON already stays as it is, as its strings need not be text.</summary>
    public static JsonElement ToElement<T>(T value, JsonTypeInfo<T> contract) => value is JsonElement { ValueKind: not JsonValueKind.Undefined } json
        ? json
        : JsonElement.Parse(new ChunkScratch<T>(contract).Write(value).Span, new JsonDocumentOptions { MaxDepth = contract.Options.MaxDepth });

    private JsonTypeInfo<T>? Find<T>()
    {
        // The contracts of Microsoft.Extensions.AI know content types that its attributes alone do not tell.
        var known = typeof(T).Assembly == typeof(ChatResponseUpdate).Assembly ? AIJsonUtilities.DefaultOptions : options;
        return known.TryGetTypeInfo(typeof(T), out var contract) || options.TryGetTypeInfo(typeof(T), out contract) ? (JsonTypeInfo<T>)contract : null;
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Only where reflection is enabled, which trimmed programs switch off.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Only where reflection is enabled, which native programs switch off.")]
    private static void AddReflection(JsonSerializerOptions options)
    {
        if (!options.TypeInfoResolverChain.OfType<DefaultJsonTypeInfoResolver>().Any())
            options.TypeInfoResolverChain.Add(new DefaultJsonTypeInfoResolver());
    }
}
