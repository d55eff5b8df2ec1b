namespace RealtimeStreams.Architecture.Tests;

public sealed class FaceTests
{
    public static TheoryData<string> Projects => Tree.Source.Names();

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_shows_only_its_face(string project)
    {
        var assembly = Tree.Projects.Single(candidate => candidate.Name == project).Load();

        Assert.All(assembly.GetExportedTypes().Where(type => !IsEntryPoint(type)), type => Assert.Equal(project, type.Namespace));
    }

    // The web SDK makes the class of top-level statements public, for test hosts.
    private static bool IsEntryPoint(Type type) => type is { Name: "Program", Namespace: null };
}
