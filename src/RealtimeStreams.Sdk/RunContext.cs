using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Writing;

namespace RealtimeStreams.Sdk;

/// <summary>The run that is going on. Flows with the code that the run calls, across awaits and into the tasks that it starts.</summary>
public sealed class RunContext
{
    private static readonly AsyncLocal<RunContext?> Ambient = new();
    private readonly RunInfo run;
    private readonly Lock gate = new();
    private readonly List<StreamActivity> started = [];
    private readonly Dictionary<string, object> inputs = new(StringComparer.Ordinal); // Reads, by key. Under the gate.

    private readonly StopSignal? stop;
    private readonly Func<RunStopCause>? findCause;

    internal RunContext(
        IRealtimeStreamsClient client, RunInfo run, uint attempt, CancellationToken stopping, StopSignal? stop = null, Func<RunStopCause>? findCause = null)
    {
        this.stop = stop;
        this.findCause = findCause;
        Client = client;
        this.run = run;
        Attempt = attempt;
        Stopping = stopping;
    }

    /// <summary>The run that is going on here; null outside of one.</summary>
    public static RunContext? Current => Ambient.Value;

    /// <summary>The client that the run was started with.</summary>
    public IRealtimeStreamsClient Client { get; }

    /// <summary>Pipes, appends, writes and reads with that client.</summary>
    public IStreams Streams => Client.Streams;

    /// <summary>The run's id.</summary>
    public string RunId => run.Id;

    /// <summary>The run that started this one, if any.</summary>
    public string? ParentRunId => run.ParentRunId;

    /// <summary>The first run of the chain; this run when none started it.</summary>
    public string RootRunId => run.RootRunId ?? run.Id;

    /// <summary>What is being run, if said.</summary>
    public string? TaskId => run.TaskId;

    /// <summary>The run's tags.</summary>
    public IReadOnlyList<string> Tags => run.Tags;

    /// <summary>Which attempt at the run this is; the epoch of all that is written in it.</summary>
    public uint Attempt { get; }

    /// <summary>Cancelled when the run shall stop, and once its body has failed: its pipes stop their sources, and store what they have taken.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>Cancelled when somebody asks the run to stop, and for no other reason. In a task, and with <see cref="RunOptions.StopOnRequest"/>, <see cref="Stopping"/> is
    /// cancelled with it; elsewhere it never is.</summary>
    public CancellationToken StopRequested => stop?.Token ?? CancellationToken.None;

    /// <summary>When and why the run was asked to stop; null while it was not.</summary>
    public StopNotice? StopRequest => stop?.Request;

    /// <summary>Why <see cref="Stopping"/> is cancelled, as far as that is known: of several causes the one that says most.</summary>
    public RunStopCause StopCause => findCause?.Invoke() ?? (Stopping.IsCancellationRequested ? RunStopCause.HostStopping : RunStopCause.None);

    /// <summary>Takes what is sent to the run: each value once, in order, for as long as the run goes on, whatever connections and servers do meanwhile.</summary>
    /// <remarks>
    /// All calls for one input share a cursor: enumerated again, after a break or by other code of the run, it goes on with the next value, so that this
    /// attempt at the run sees each once. Only one enumeration at a time. A later attempt begins at 0 unless it gives the index that an earlier one had
    /// come to (<see cref="StreamRead{T}.NextIndex"/>). Ends when the run does, with an <see cref="OperationCanceledException"/> when it shall stop.
    /// </remarks>
    /// <typeparam name="T">The type of what is sent.</typeparam>
    /// <param name="input">Which input (<see cref="RealtimeStream.DefineInput{T}"/>).</param>
    /// <param name="startIndex">Begins there, whatever was taken before. Null: goes on, at first from 0.</param>
    /// <exception cref="InvalidOperationException">The input was taken as another type before, without a start index now.</exception>
    public StreamRead<T> Inputs<T>(RealtimeStream<T> input, long? startIndex = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (InputStreams.FindName(input.StreamKey) is null)
            throw new ArgumentException($"The stream '{input.Key}' is no input. Define it with RealtimeStream.DefineInput.", nameof(input));
        lock (gate)
        {
            if (startIndex is null && inputs.TryGetValue(input.Key, out var known))
            {
                return known as StreamRead<T> ?? throw new InvalidOperationException(
                    $"The input '{input.Key}' of this run was taken as another type than {typeof(T)} before.");
            }
            var read = Streams.ReadAsync(input, RunId, new ReadOptions { StartIndex = startIndex ?? 0 }, Stopping);
            inputs[input.Key] = read;
            return read;
        }
    }

    /// <summary>Takes what is sent to the run, by the input's name.</summary>
    /// <inheritdoc cref="Inputs{T}(RealtimeStream{T}, long?)" path="/remarks|/typeparam|/exception" />
    /// <param name="name">Which input.</param>
    /// <param name="startIndex">Begins there, whatever was taken before. Null: goes on, at first from 0.</param>
    public StreamRead<T> Inputs<T>(string name, long? startIndex = null) => Inputs(RealtimeStream.DefineInput<T>(name), startIndex);

    /// <inheritdoc />
    public override string ToString() => RunId;

    internal static RunContext GetCurrent() => Current ?? throw new InvalidOperationException(
        "No run is going on here. Give the definition to a client (client.Streams), with the run as the target, or call it inside Runs.RunAsync or Runs.Enter.");

    /// <summary>Makes <paramref name="context"/> the current one. Must be called synchronously by whoever wants it: the change ends with an async method.</summary>
    internal static void Switch(RunContext? context) => Ambient.Value = context;

    /// <summary>Counts a pipe or writer to the run until it is settled, and for ever if it failed.</summary>
    internal void Track(StreamActivity activity)
    {
        lock (gate)
        {
            started.RemoveAll(earlier => earlier.Settled.IsCompleted && earlier.Failure is null);
            started.Add(activity);
        }
    }

    /// <summary>Waits for all pipes and writers, those too that are started meanwhile.</summary>
    /// <returns>The first failure that nobody asked for, or null.</returns>
    internal async Task<Exception?> WhenWrittenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task[] open;
            lock (gate)
            {
                open = [.. started.Where(activity => !activity.Settled.IsCompleted).Select(activity => activity.Settled)];
                if (open.Length == 0) return started.FirstOrDefault(activity => activity.Failure is not null && !activity.WasAskedFor)?.Failure;
            }
            await Task.WhenAll(open).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
