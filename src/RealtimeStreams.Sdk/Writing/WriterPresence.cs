using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Http;

namespace RealtimeStreams.Sdk.Writing;

/// <summary>
/// Shows that a writer is there while its source gives nothing: an append without chunks stays open, so that the server does not take the stream for abandoned. One owner at a time.
/// </summary>
internal sealed class WriterPresence(Transport transport, string path, Func<HttpResponseMessage, CancellationToken, ValueTask<AppendReceipt?>> read)
{
    /// <summary>How long a source is silent before it is shown: together with the second in which the server notices, within the shortest lease, which is 5 s.</summary>
    public static readonly TimeSpan After = TimeSpan.FromSeconds(2);

    // A lease may be days long, and so may a body.
    private static readonly TimeSpan longest = TimeSpan.FromDays(7);

    private Task last = Task.CompletedTask;

    /// <summary>Returns what is waited for, as soon as it comes, and shows the writer until then.</summary>
    public async Task<bool> HoldWhileAsync(Task<bool> waiting, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var before = last;
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        last = held.Task;
        // Not awaited before what came is sent: the server's answer to the body that ends is nothing to wait for. The next one waits for it, and so does the end.
        _ = HoldAsync(before, over.Token, cancellationToken).ContinueWith(
            _ => held.TrySetResult(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        try
        {
            return await waiting.ConfigureAwait(false);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Waits until nothing of it goes on.</summary>
    public Task EndAsync() => last;

    private async Task HoldAsync(Task before, CancellationToken over, CancellationToken cancellationToken)
    {
        await before.ConfigureAwait(false);
        for (var wait = After; ; wait = wait * 2 < TimeSpan.FromMinutes(1) ? wait * 2 : TimeSpan.FromMinutes(1))
        {
            await Task.Delay(wait, transport.Time, over).ConfigureAwait(false);
            using var body = new HeldBody();
            using var request = transport.NewRequest(HttpMethod.Post, path, body);
            Transport.AllowWait(request, longest);
            using var abort = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            using var ending = over.Register(() =>
            {
                body.End();
                abort.CancelAfter(transport.Options.RequestTimeout);
            });
            Answer<AppendReceipt> answer;
            try
            {
                answer = await transport.TrySendAsync("hold", request, read, abort.Token).ConfigureAwait(false);
            }
            finally
            {
                body.End(); // A server may answer before that.
            }
            // What cannot heal is told to the next append.
            if (over.IsCancellationRequested || answer.Failure is { Retryable: false }) return;
        }
    }
}
