using System.Globalization;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>The server refused a request, or could not be reached for as long as the client tries.</summary>
public sealed class RealtimeStreamsException : Exception
{
    /// <summary><see cref="Code"/> when no answer came for <see cref="RealtimeStreamsClientOptions.GiveUpAfter"/>.</summary>
    public const string Unreachable = "unreachable";

    /// <summary><see cref="Code"/> when what answered did not speak the protocol.</summary>
    public const string BadAnswer = "bad_answer";

    /// <summary><see cref="Code"/> when <see cref="RealtimeStreamsClientOptions.AccessTokenProvider"/> threw, took too long, or gave nothing that can be a
    /// token; what it threw is the inner exception.</summary>
    public const string NoAccessToken = "no_access_token";

    /// <summary><see cref="Code"/> when a producer's name was used before in the same epoch (<see cref="PipeOptions.ProducerId"/>).</summary>
    public const string ProducerReused = "producer_reused";

    /// <summary>Makes an exception without details.</summary>
    public RealtimeStreamsException()
        : this("The server refused the request.")
    {
    }

    /// <summary>Makes an exception with a text.</summary>
    public RealtimeStreamsException(string message)
        : this(message, null)
    {
    }

    /// <summary>Makes an exception with a text and a cause.</summary>
    public RealtimeStreamsException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Makes an exception of the server's problem details.</summary>
    public RealtimeStreamsException(Problem problem)
        : base(Describe(problem))
    {
        Problem = problem;
        Code = problem.Code ?? BadAnswer;
        Status = problem.Status;
        Retryable = problem.Retryable;
    }

    /// <summary>The error's code: a row of <see cref="ErrorCode"/>, or a constant of this class.</summary>
    public string Code { get; init; } = BadAnswer;

    /// <summary>The HTTP status; 0 when there was no answer.</summary>
    public int Status { get; init; }

    /// <summary>Whether the same request can succeed later. The client has retried for as long as it was told to.</summary>
    public bool Retryable { get; init; }

    /// <summary>All that the server said.</summary>
    public Problem? Problem { get; init; }

    /// <summary>The same, of which trying again is expected to make something else.</summary>
    internal RealtimeStreamsException AsRetryable() =>
        Problem is { } problem ? new(problem) { Retryable = true } : new(Message, InnerException) { Code = Code, Status = Status, Retryable = true };

    private static string Describe(Problem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        var text = problem.Detail ?? problem.Title ?? "The server gave no reason.";
        return string.Create(CultureInfo.InvariantCulture, $"{text} ({problem.Code ?? BadAnswer}, {problem.Status})");
    }
}
