namespace RealtimeStreams.Architecture.Tests;

public sealed class ProjectGraphTests
{
    /// <summary>
    /// Who may use whom. A new project or edge is written down here first, where a review sees it. Edges point one way:
    /// dialects → modules → ChunkLog, RunRegistry → Protocol.
    /// </summary>
    private static readonly string[] Table =
    [
        "AspireProbe",
        "DemoWorker -> RealtimeStreams.Protocol, RealtimeStreams.Sdk, RealtimeStreams.ServiceDefaults",
        "NATS.NKeys",
        "RealtimeStreams.AppHost -> DemoWorker, RealtimeStreams.Server",
        "RealtimeStreams.ChunkLog -> NATS.NKeys, RealtimeStreams.Protocol",
        "RealtimeStreams.Dialects.Native -> RealtimeStreams.ChunkLog, RealtimeStreams.Http, RealtimeStreams.Ingest, RealtimeStreams.Protocol, RealtimeStreams.Read, RealtimeStreams.RunRegistry",
        "RealtimeStreams.Dialects.S2 -> RealtimeStreams.ChunkLog, RealtimeStreams.Http, RealtimeStreams.Ingest, RealtimeStreams.Protocol, RealtimeStreams.Read, RealtimeStreams.RunRegistry",
        "RealtimeStreams.Dialects.Trigger -> RealtimeStreams.ChunkLog, RealtimeStreams.Http, RealtimeStreams.Ingest, RealtimeStreams.Protocol, RealtimeStreams.Read, RealtimeStreams.RunRegistry",
        "RealtimeStreams.EmbeddedBroker",
        "RealtimeStreams.Http -> RealtimeStreams.ChunkLog, RealtimeStreams.Protocol, RealtimeStreams.Read, RealtimeStreams.RunRegistry",
        "RealtimeStreams.Ingest -> RealtimeStreams.ChunkLog, RealtimeStreams.Protocol, RealtimeStreams.RunRegistry",
        "RealtimeStreams.Protocol",
        "RealtimeStreams.Read -> RealtimeStreams.ChunkLog, RealtimeStreams.Protocol, RealtimeStreams.RunRegistry",
        "RealtimeStreams.Retention -> RealtimeStreams.ChunkLog, RealtimeStreams.Protocol, RealtimeStreams.RunRegistry",
        "RealtimeStreams.RunRegistry -> RealtimeStreams.Protocol",
        "RealtimeStreams.Sdk -> RealtimeStreams.Protocol",
        "RealtimeStreams.Server -> NATS.NKeys, RealtimeStreams.ChunkLog, RealtimeStreams.Dialects.Native, RealtimeStreams.Dialects.S2, RealtimeStreams.Dialects.Trigger, RealtimeStreams.EmbeddedBroker, RealtimeStreams.Http, RealtimeStreams.Ingest, RealtimeStreams.Protocol, RealtimeStreams.Read, RealtimeStreams.Retention, RealtimeStreams.RunRegistry, RealtimeStreams.ServiceDefaults",
        "RealtimeStreams.ServiceDefaults",
    ];

    [Fact]
    public void The_project_files_say_what_the_table_says()
    {
        var tree = Tree.Projects
            .Select(project => project.Projects is [] ? project.Name : $"{project.Name} -> {string.Join(", ", project.Projects)}")
            .ToList();

        var differences = tree.Except(Table).Select(line => "in the tree:  " + line).Concat(Table.Except(tree).Select(line => "in the table: " + line))
            .ToList();
        Assert.True(differences is [], "Tree and table differ:\n" + string.Join('\n', differences));
    }

    [Theory]
    [InlineData("NATS.", "RealtimeStreams.ChunkLog")]
    [InlineData("Microsoft.EntityFrameworkCore", "RealtimeStreams.RunRegistry")]
    [InlineData("Npgsql", "RealtimeStreams.RunRegistry")]
    public void A_package_that_one_project_wraps_is_referenced_by_no_other(string package, string owner) =>
        Assert.All(
            Tree.Projects.Where(project => project.Packages.Any(name => name.StartsWith(package, StringComparison.Ordinal))).Select(project => project.Name),
            project => Assert.Equal(owner, project));

    [Fact]
    public void Protocol_uses_nothing()
    {
        var protocol = Tree.Projects.Single(project => project.Name == "RealtimeStreams.Protocol");

        Assert.Empty(protocol.Projects);
        Assert.Empty(protocol.Packages);
    }
}
