using Microsoft.AspNetCore.Http;

namespace RealtimeStreams.Dialects.S2.Requests;

/// <summary>Sends the last bytes of a session.</summary>
internal static class LastWords
{
    public static async Task FlushAsync(HttpContext context, TimeProvider clock)
    {
        using var limit = new CancellationTokenSource(Grace.Length, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted);
        try
        {
            await context.Response.BodyWriter.FlushAsync(either.Token);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            // Nobody listens.
        }
    }
}
