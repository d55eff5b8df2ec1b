using RealtimeStreams.AppHost.Showing;

namespace RealtimeStreams.AppHost.WithoutAspire;

/// <summary>What the command line says.</summary>
/// <param name="Url">Where the API listens; null: the usual address, or a free port where that is taken.</param>
/// <param name="AskForAspire">Whether a remembered "no" is asked again.</param>
/// <param name="All">The whole line, for the real host.</param>
internal sealed record Arguments(Uri? Url, bool AskForAspire, IReadOnlyList<string> All)
{
    public static Arguments Parse(string[] args)
    {
        Uri? url = null;
        var ask = false;
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--ask-for-aspire":
                    ask = true;
                    break;
                case "--urls" when i + 1 < args.Length && Uri.TryCreate(args[i + 1], UriKind.Absolute, out url) && url.Scheme == Uri.UriSchemeHttp:
                    i++;
                    break;
                case "--operation":
                    // For the real host only; whether it can be had turns out next.
                    return new(null, true, args);
                default:
                    throw new StackException(
                        $"""
                        Not understood: {string.Join(' ', args[i..])}

                        dotnet run --project RealtimeStreams.AppHost [-- [--urls http://127.0.0.1:PORT] [--ask-for-aspire]]

                          --urls            where the API listens (http://127.0.0.1:{LocalData.UsualPort}, or a free port where that is taken)
                          --ask-for-aspire  asks the package sources for Aspire again, whatever they said last time
                        """);
            }
        }

        return new(url, ask, args);
    }
}
