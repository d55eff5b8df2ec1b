using ArchUnitNET.Loader;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace RealtimeStreams.Architecture.Tests;

/// <summary>
/// What project files cannot say: a package reaches every project above the one that references it, so that its types compile there too.
/// </summary>
public sealed class BoundaryTests
{
    // What is forbidden lies outside of our code: it is loaded as far as our code mentions it.
    private static readonly ArchUnitNET.Domain.Architecture Code =
        new ArchLoader().LoadAssemblies([.. Tree.Source.Select(project => project.Load())]).Build();

    public static TheoryData<string> Modules => Tree.Modules.Names();

    public static TheoryData<string> AllButChunkLog => Tree.Source.Where(project => project.Name != "RealtimeStreams.ChunkLog").Names();

    public static TheoryData<string> AllButRunRegistry => Tree.Source.Where(project => project.Name != "RealtimeStreams.RunRegistry").Names();

    // Data protection bears ASP.NET's name and knows no HTTP.
    [Theory]
    [MemberData(nameof(Modules))]
    public void Modules_know_no_http(string project) =>
        AssertUsesNone(project, @"^(Microsoft\.AspNetCore(?!\.DataProtection(\.|$))|System\.Net\.Http|RealtimeStreams\.(Http|Dialects))(\.|$)");

    // It may ask the broker's monitoring address, which speaks HTTP; what the product speaks it does not know.
    [Fact]
    public void The_log_knows_no_web_server() =>
        AssertUsesNone("RealtimeStreams.ChunkLog", @"^(Microsoft\.AspNetCore|RealtimeStreams\.(Http|Dialects))(\.|$)");

    [Theory]
    [MemberData(nameof(AllButChunkLog))]
    public void Only_the_log_knows_nats(string project) => AssertUsesNone(project, @"^NATS(\.|$)");

    [Theory]
    [MemberData(nameof(AllButRunRegistry))]
    public void Only_the_registry_knows_the_database(string project) =>
        AssertUsesNone(project, @"^(Microsoft\.EntityFrameworkCore|Microsoft\.Data|Npgsql|System\.Data)(\.|$)");

    [Fact]
    public void Protocol_knows_only_the_base_library() => AssertUsesNone("RealtimeStreams.Protocol", @"^(?!(System|RealtimeStreams\.Protocol)(\.|$)).+");

    private static void AssertUsesNone(string project, string namespaces)
    {
        var own = Tree.Projects.Single(candidate => candidate.Name == project).Load();
        var rule = Types().That().ResideInAssembly(own)
            .Should().NotDependOnAny(Types(true).That().ResideInNamespaceMatching(namespaces))
            .WithoutRequiringPositiveResults();

        var violations = rule.Evaluate(Code).Where(result => !result.Passed).Select(result => result.Description).ToList();
        Assert.True(violations is [], string.Join('\n', violations));
    }
}
