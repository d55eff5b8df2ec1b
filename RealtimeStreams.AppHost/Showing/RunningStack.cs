using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace RealtimeStreams.AppHost.Showing;

/// <summary>Shows a person how to reach the stack that has just been started, and how to try it.</summary>
internal sealed class RunningStack : IDisposable
{
    private const string PlaygroundRun = "playground";
    private static readonly TimeSpan DemoDeadline = TimeSpan.FromSeconds(30);
    private readonly Uri api;
    private readonly string secretKey;
    private readonly HttpClient http;

    /// <param name="api">The server's address.</param>
    /// <param name="secretKey">Opens its default environment.</param>
    public RunningStack(Uri api, string secretKey)
    {
        this.api = api;
        this.secretKey = secretKey;
        http = new HttpClient { BaseAddress = api };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secretKey);
    }

    /// <summary>Makes a run to play with, waits for the demo's first answer and prints where everything is.</summary>
    /// <param name="dashboard">Where to look at it, or why one cannot.</param>
    /// <param name="demo">Where the demo worker takes requests.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task ShowAsync(string dashboard, Uri demo, CancellationToken cancellationToken)
    {
        using var registered = await http.PostAsJsonAsync(
            "api/v1/runs", new { id = PlaygroundRun, taskId = "playground" }, cancellationToken);
        if (registered.StatusCode != HttpStatusCode.Conflict) // Somebody may have made a run of that name by hand.
            registered.EnsureSuccessStatusCode();
        var answer = await FindAnswerAsync(cancellationToken);

        // Text and no JSON, so that no shell needs quotes within quotes.
        await Console.Out.WriteLineAsync(
            $"""

            RealtimeStreams is running. Ctrl+C stops it.

              API         {api}api/v1   (description: {api}openapi/v1.json, health: {api}health)
              Dashboard   {dashboard}
              Secret key  {secretKey}

            Read {answer.About}, live and from its beginning:

              curl -N -H "Authorization: Bearer {secretKey}" {StreamAddress(answer.Run, answer.Stream)}

            Start the next one now (the demo starts one every 30 seconds, and writes its address here):

              curl -X POST {demo}runs

            Append a chunk of your own, and read it:

              curl -H "Authorization: Bearer {secretKey}" -H "Content-Type: text/plain" -d "hello" {StreamAddress(PlaygroundRun, "default")}
              curl -N -H "Authorization: Bearer {secretKey}" {StreamAddress(PlaygroundRun, "default")}

            """.AsMemory(),
            cancellationToken);
    }

    public void Dispose() => http.Dispose();

    private string StreamAddress(string run, string stream) => $"{api}api/v1/runs/{Uri.EscapeDataString(run)}/streams/{stream}";

    private async Task<(string Run, string Stream, string About)> FindAnswerAsync(CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(DemoDeadline);
        try
        {
            using var beat = new PeriodicTimer(TimeSpan.FromMilliseconds(300));
            do
            {
                using var page = await http.GetFromJsonAsync<JsonDocument>("api/v1/runs?taskId=demo-answer&status=open&limit=1", deadline.Token);
                foreach (var run in page!.RootElement.GetProperty("runs").EnumerateArray())
                    return (run.GetProperty("id").GetString()!, "answer", "an answer that the demo worker is streaming");
            }
            while (await beat.WaitForNextTickAsync(deadline.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The stack is usable without its demo, so this is said and does not stop it.
        }

        return (PlaygroundRun, "default", "a stream that is empty so far (the demo worker has not started a run)");
    }
}
