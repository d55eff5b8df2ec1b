// The stack without Aspire: the server with its embedded broker and database, and the demo worker, as child processes.
using RealtimeStreams.AppHost.Showing;
using RealtimeStreams.AppHost.WithoutAspire;

using var stop = new StopSignal();
try
{
    var arguments = Arguments.Parse(args);
    if (await AspirePackages.TryHandOverAsync(arguments, stop.Token) is { } exitCode)
        return exitCode;

    await using var stack = new LocalStack(arguments);
    var (api, secretKey) = await stack.StartServerAsync(stop.Token);
    var demo = stack.StartDemo(secretKey);
    using (var running = new RunningStack(api, secretKey))
        await running.ShowAsync("none: it comes with a later version, and telemetry goes where OTEL_EXPORTER_OTLP_ENDPOINT says", demo, stop.Token);
    await stack.WaitForEndAsync(stop.Token);
    return 0;
}
catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
{
    return 0; // Asked to stop before all was up.
}
catch (StackException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}
