using System.Text.Json.Serialization;

namespace RealtimeStreams.Sdk.Tests.Snippets;

public sealed record Progress(string Step, int Percent);

public sealed record Row(string Text);

public sealed record RowsImported(int Count);

public sealed record Import(string File);

public sealed record ImportResult(long Chunks);

public sealed record Report(string Title);

public sealed record Approval(bool Approved);

public sealed record Mail(string To);

public sealed class MailTask : IRealtimeStreamsTask<Mail>
{
    public Task RunAsync(RunContext run, Mail payload, CancellationToken cancellationToken) => Task.CompletedTask;
}

[JsonSerializable(typeof(Progress))]
internal sealed partial class MyJson : JsonSerializerContext;

[JsonSerializable(typeof(RowsImported))]
internal sealed partial class TourJson : JsonSerializerContext;
