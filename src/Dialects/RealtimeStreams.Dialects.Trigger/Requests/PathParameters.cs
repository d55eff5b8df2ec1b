using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Patterns;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Trigger.Requests;

/// <summary>Which ids a route's path has.</summary>
internal readonly record struct PathParameters(bool HasRun, bool HasTarget, bool HasKey, bool HasInput, bool HasTask)
{
    public static PathParameters Of(RoutePattern pattern) => new(
        pattern.GetParameter(Gate.RunParameter) is not null,
        pattern.GetParameter(Gate.TargetParameter) is not null,
        pattern.GetParameter(Gate.KeyParameter) is not null,
        pattern.GetParameter(Gate.InputParameter) is not null,
        pattern.GetParameter(Gate.TaskParameter) is not null);

    /// <summary><c>self</c>, <c>parent</c> or <c>root</c>; null when the route has no target.</summary>
    public string? TargetOf(HttpContext context) => HasTarget ? (string?)context.Request.RouteValues[Gate.TargetParameter] : null;

    /// <summary>Reads the run and, where the route has one, the stream's key; an input stream's name becomes its key.</summary>
    public bool TryRead(HttpContext context, out RunId run, out StreamKey key, [NotNullWhen(false)] out TriggerError? error)
    {
        key = StreamKey.Default;
        error = null;
        var text = RawPath.Find(context, Gate.RunParameter);
        if (text is null || !RunId.TryParse(text, null, out run))
        {
            run = default;
            error = TriggerError.From(ErrorCode.InvalidRunId, $"The run id in the path {(text is null ? RawPath.Fault : RunId.FindFault(text))}.");
            return false;
        }
        if (!HasKey && !HasInput) return true;
        text = RawPath.Find(context, HasKey ? Gate.KeyParameter : Gate.InputParameter);
        if (text is not null && (HasKey ? StreamKey.TryParse(text, null, out key) : InputStreams.TryMakeKey(text, out key))) return true;
        var fault = text is null ? RawPath.Fault : StreamKey.FindFault(text) ?? "is too long";
        error = TriggerError.From(ErrorCode.InvalidStreamKey, $"The stream key in the path {fault}.");
        return false;
    }

    /// <summary>Reads the task.</summary>
    public static bool TryReadTask(HttpContext context, out string task, [NotNullWhen(false)] out TriggerError? error)
    {
        task = RawPath.Find(context, Gate.TaskParameter) ?? "";
        error = task.Length > 0 ? null : TriggerError.From(ErrorCode.InvalidRequest, $"The task id in the path {RawPath.Fault}.");
        return error is null;
    }
}
