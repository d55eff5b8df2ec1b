using System.Reflection;
using Microsoft.Extensions.Logging;

namespace RealtimeStreams.Architecture.Tests;

public sealed class LogEventTests
{
    [Fact]
    public void An_id_names_one_event()
    {
        var events = Tree.Source.SelectMany(project => project.Load().GetTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(method => (Name: $"{method.DeclaringType}.{method.Name}", method.GetCustomAttribute<LoggerMessageAttribute>()?.EventId))
            .Where(one => one.EventId is not null)
            .ToLookup(one => one.EventId, one => one.Name);

        Assert.NotEmpty(events);
        Assert.All(events, one => Assert.Single(one));
    }
}
