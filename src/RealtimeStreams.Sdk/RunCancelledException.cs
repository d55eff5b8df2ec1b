namespace RealtimeStreams.Sdk;

/// <summary>Thrown by a task to end its run as <c>cancelled</c>, for example because a reader asked it to stop.</summary>
/// <remarks>Any other <see cref="OperationCanceledException"/> that nobody asked for is a failure: often it is a time-out.</remarks>
public sealed class RunCancelledException : OperationCanceledException
{
    /// <summary>Makes one.</summary>
    public RunCancelledException()
        : this("The run was cancelled.")
    {
    }

    /// <summary>Makes one with a text, which is kept as the run's error.</summary>
    public RunCancelledException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a text, which is kept as the run's error, and a cause.</summary>
    public RunCancelledException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
