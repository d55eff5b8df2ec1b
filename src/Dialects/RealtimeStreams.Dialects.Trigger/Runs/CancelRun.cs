using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.Trigger.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Runs;

/// <summary>Asks a run to stop: <c>runs.cancel</c>. One that is queued is cancelled at once; one that goes on until its worker ends it; one that has ended stays as it is.</summary>
internal static class CancelRun
{
    public static async Task<IResult> HandleAsync(Caller caller, StreamPath path, IRunStops stops, CancellationToken cancellationToken)
    {
        var (environment, run, _) = path.Address;
        switch (await stops.RequestAsync(environment, run, reason: null, CredentialNames.NameOf(caller.Grant), caller.Credential.Name, cancellationToken))
        {
            case StopOutcome.Told told:
                var body = new ArrayBufferWriter<byte>(128);
                using (var json = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = WireJson.Contracts.Options.Encoder }))
                {
                    json.WriteStartObject();
                    json.WriteString("id", told.Run.Id.Value);
                    json.WriteEndObject();
                }
                return Answers.Json(body.WrittenSpan);
            case StopOutcome.Refused { Refusal: var refusal }:
                return TriggerError.From(refusal);
            default:
                throw new UnreachableException();
        }
    }
}
