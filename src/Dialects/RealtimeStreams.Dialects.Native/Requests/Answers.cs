using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace RealtimeStreams.Dialects.Native.Requests;

/// <summary>Answers in the dialect's own JSON contracts, whatever the application's JSON options say.</summary>
internal static class Answers
{
    public static JsonHttpResult<T> Json<T>(T value, JsonTypeInfo<T> contract, int status = StatusCodes.Status200OK) =>
        TypedResults.Json(value, contract, "application/json", status);
}
