using System.Globalization;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Server.Operating;

/// <summary>What an operator asks for on the command line, behind the word <c>environments</c>.</summary>
/// <param name="Verb">What is to be done: one of the words of <see cref="Operands"/>.</param>
/// <param name="Environment">The environment's id; null only for <c>list</c>.</param>
/// <param name="Key">The key's id, where one is needed.</param>
/// <param name="Overlap">For how long a rotated key stays valid.</param>
/// <param name="Settings">Options of <c>set</c> as they stand, without dashes, with their values.</param>
/// <param name="Json">Whether the answer is JSON.</param>
/// <param name="Configuration">The arguments that are settings (<c>--RealtimeStreams:DataDirectory …</c>), as they stand.</param>
internal sealed record EnvironmentsArguments(
    string Verb, EnvironmentId? Environment, string? Key, TimeSpan Overlap, IReadOnlyList<KeyValuePair<string, string>> Settings, bool Json, IReadOnlyList<string> Configuration)
{
    public const string Word = "environments";

    public const string Help =
        """
        Environments, their secret keys and their settings.

          environments list                          all environments
          environments create <id>                   make an environment, and its first secret key
          environments keys <id>                     an environment's keys; never the keys themselves
          environments add-key <id>                  make one more key
          environments rotate-key <id> <key id>      make a key in the place of another, which stays valid for a while
              --overlap <[d.]hh:mm:ss>               for how long: 0 to 90 days; 01:00:00 unless told otherwise
          environments revoke-key <id> <key id>      take a key, and every token that it signed, out of use now
          environments settings <id>                 what is set for an environment, and what can be
          environments set <id> --<option> <value>…  set retention and limits of an environment (see: settings); the value "default" takes one back

          --json                                     answer in JSON
          --<setting> <value>                        a setting of the server, such as --RealtimeStreams:DataDirectory /data

        The registry is the server's: the same settings name it (ConnectionStrings__registry, or RealtimeStreams__DataDirectory with an SQLite file).
        Servers that run follow within a second: they look into the registry twice a second, and need not be told.
        A new key is printed once and cannot be shown again.

        Ends with 0 when done, 1 when refused, 2 when the arguments make no sense, 3 when the registry cannot be reached.
        """;

    private static readonly TimeSpan DefaultOverlap = TimeSpan.FromHours(1);

    private static readonly Dictionary<string, string[]> Operands = new(StringComparer.Ordinal)
    {
        ["list"] = [],
        ["create"] = ["<id>"],
        ["keys"] = ["<id>"],
        ["add-key"] = ["<id>"],
        ["rotate-key"] = ["<id>", "<key id>"],
        ["revoke-key"] = ["<id>", "<key id>"],
        ["settings"] = ["<id>"],
        ["set"] = ["<id>"],
    };

    /// <summary>Reads the arguments behind the word.</summary>
    /// <returns>What is asked for; or what is wrong, as a sentence that says what to do; or neither when help is asked for.</returns>
    public static (EnvironmentsArguments? Arguments, string? Fault) Read(IReadOnlyList<string> arguments)
    {
        List<string> words = [];
        List<string> settings = [];
        var json = false;
        string? overlap = null;
        List<KeyValuePair<string, string>> options = [];
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument is "--help" or "-h" or "-?") return (null, null);
            if (argument == "--json") json = true;
            else if (argument.StartsWith("--overlap=", StringComparison.Ordinal)) overlap = argument["--overlap=".Length..];
            else if (argument == "--overlap" && i + 1 < arguments.Count) overlap = arguments[++i];
            else if (argument == "--overlap") return Wrong("The option --overlap needs a time, such as --overlap 01:00:00.");
            else if (argument.StartsWith("--", StringComparison.Ordinal) && argument.Contains(':', StringComparison.Ordinal))
            {
                settings.Add(argument);
                if (argument.Contains('=', StringComparison.Ordinal)) continue;
                if (i + 1 == arguments.Count) return Wrong($"The setting {argument} needs a value.");
                settings.Add(arguments[++i]);
            }
            else if (argument.StartsWith("--", StringComparison.Ordinal))
            {
                var (name, equals) = (argument[2..].Split('=')[0], argument.IndexOf('=', StringComparison.Ordinal));
                if (equals < 0 && i + 1 == arguments.Count) return Wrong($"The option --{name} needs a value, if there is such an option.");
                options.Add(new(name, equals < 0 ? arguments[++i] : argument[(equals + 1)..]));
            }
            else if (argument.StartsWith('-')) return Wrong($"There is no option {argument.Split('=')[0]}.");
            else words.Add(argument);
        }
        if (words is [] or ["help"]) return (null, null);
        if (!Operands.TryGetValue(words[0], out var operands)) return Wrong($"There is no command {words[0]}.");
        if (words.Count - 1 != operands.Length)
            return Wrong($"The command is: {string.Join(' ', operands.Prepend(words[0]).Prepend(Word))}. It was given {words.Count - 1} operands.");
        if (operands.Length > 0 && EnvironmentId.FindFault(words[1]) is { } fault) return Wrong($"The environment id {fault}.");
        if (words[0] == "set" && options.Count == 0) return Wrong("The command set needs at least one option, such as --retention 7.00:00:00.");
        if (words[0] != "set" && options is [var unknown, ..]) return Wrong($"There is no option --{unknown.Key} of {words[0]}.");
        var time = DefaultOverlap;
        if (overlap is not null)
        {
            if (words[0] != "rotate-key") return Wrong("The option --overlap belongs to rotate-key.");
            if (!TimeSpan.TryParse(overlap, CultureInfo.InvariantCulture, out time) || time < TimeSpan.Zero || time > ISecretKeys.MaxOverlap)
                return Wrong("The overlap is a time from 00:00:00 to 90.00:00:00, such as 01:00:00 for an hour.");
        }
        EnvironmentId? environment = operands.Length > 0 ? EnvironmentId.Parse(words[1]) : null;
        return (new EnvironmentsArguments(words[0], environment, operands.Length > 1 ? words[2] : null, time, options, json, settings), null);
    }

    private static (EnvironmentsArguments? Arguments, string? Fault) Wrong(string fault) => (null, fault);
}
