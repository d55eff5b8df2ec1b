using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Http.Limiting;

/// <summary>A request that was let in, and the places that it has. Not for several threads at once.</summary>
internal sealed class Admission(CallerLoad environment, CallerLoad? token, EnvironmentSettings settings)
{
    private Kind kind = Kind.Request; // What the gate takes.

    private enum Kind
    {
        Request,
        Reader,
        Body,
        Over,
    }

    public LimitRefusal? BecomeReader(LimitsOptions limits)
    {
        if (kind != Kind.Request) return null;
        var most = settings.TokenReaders ?? limits.TokenReaders;
        if (token is not null && !token.Readers.TryTake(most)) return Refused(LimitNames.TokenReaders, most, LimitOwner.Token);
        most = settings.Readers ?? limits.Readers;
        if (!environment.Readers.TryTake(most))
        {
            token?.Readers.Return();
            return Refused(LimitNames.Readers, most, LimitOwner.Environment);
        }
        LeaveRequests();
        kind = Kind.Reader;
        return null;
    }

    public LimitRefusal? BecomeBody(LimitsOptions limits)
    {
        if (kind != Kind.Request) return null;
        var most = settings.TokenOpenBodies ?? limits.TokenOpenBodies;
        if (token is not null && !token.Bodies.TryTake(most)) return Refused(LimitNames.TokenOpenBodies, most, LimitOwner.Token);
        most = settings.OpenBodies ?? limits.OpenBodies;
        if (!environment.Bodies.TryTake(most))
        {
            token?.Bodies.Return();
            return Refused(LimitNames.OpenBodies, most, LimitOwner.Environment);
        }
        LeaveRequests();
        kind = Kind.Body;
        return null;
    }

    /// <summary>The request is over. Once is enough.</summary>
    public void Release()
    {
        switch (kind)
        {
            case Kind.Request:
                LeaveRequests();
                break;
            case Kind.Reader:
                environment.Readers.Return();
                token?.Readers.Return();
                break;
            case Kind.Body:
                environment.Bodies.Return();
                token?.Bodies.Return();
                break;
        }
        kind = Kind.Over;
    }

    private void LeaveRequests()
    {
        environment.Requests.Return();
        token?.Requests.Return();
    }

    // Nobody knows when a place becomes free.
    private static LimitRefusal Refused(string limit, int most, LimitOwner owner) => new(limit, most, owner, TimeSpan.FromSeconds(1));
}
